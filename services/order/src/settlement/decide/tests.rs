//! Batches of payment outcomes against orders in every state.

use time::OffsetDateTime;

use super::*;

fn standing(order_id: OrderId, status: Status, reason: Option<DeclineReason>) -> Standing {
    Standing {
        order_id,
        status,
        reason,
    }
}

fn event(order_id: OrderId, outcome: Outcome) -> PaymentDecision {
    PaymentDecision {
        order_id,
        outcome,
        received_at: Some(OffsetDateTime::UNIX_EPOCH),
        decided_at: OffsetDateTime::UNIX_EPOCH,
    }
}

const NO_ACCOUNT: Outcome = Outcome::Declined(DeclineReason::NoAccount);
const TOO_POOR: Outcome = Outcome::Declined(DeclineReason::InsufficientFunds);

/// An order and the status it took.
type Taken = (OrderId, Status);

/// Runs a batch and says which orders took which status, and which events were refused as what.
fn check(
    standings: Vec<Standing>,
    batch: &[PaymentDecision],
) -> (Vec<Taken>, Vec<(usize, ReasonClass)>) {
    let verdict = decide(standings, batch.iter().enumerate());
    let decisions = verdict.decisions.iter();
    let unsettled = verdict.unsettled.iter();
    (
        decisions
            .map(|decision| (decision.order_id, decision.status))
            .collect(),
        unsettled
            .map(|unsettled| (unsettled.index, unsettled.rejection().class))
            .collect(),
    )
}

#[test]
fn a_new_order_is_finished_by_a_capture_and_cancelled_by_a_decline() {
    let (paid, unpaid) = (OrderId::new(), OrderId::new());
    let standings = vec![
        standing(paid, Status::New, None),
        standing(unpaid, Status::New, None),
    ];
    let batch = [event(paid, Outcome::Captured), event(unpaid, TOO_POOR)];
    let decisions = vec![(paid, Status::Finished), (unpaid, Status::Cancelled)];
    assert_eq!(check(standings, &batch), (decisions, vec![]));
}

#[test]
fn the_same_outcome_again_changes_nothing() {
    let id = OrderId::new();
    for (status, reason, outcome) in [
        (Status::Finished, None, Outcome::Captured),
        (
            Status::Cancelled,
            Some(DeclineReason::NoAccount),
            NO_ACCOUNT,
        ),
    ] {
        let standings = vec![standing(id, status, reason)];
        assert_eq!(check(standings, &[event(id, outcome)]), (vec![], vec![]));
    }
}

#[test]
fn another_outcome_for_a_decided_order_is_a_conflict() {
    let id = OrderId::new();
    for (status, reason, outcome) in [
        (Status::Finished, None, TOO_POOR),
        (
            Status::Cancelled,
            Some(DeclineReason::NoAccount),
            Outcome::Captured,
        ),
        (Status::Cancelled, Some(DeclineReason::NoAccount), TOO_POOR),
    ] {
        let standings = vec![standing(id, status, reason)];
        let rejected = vec![(0, ReasonClass::Conflict)];
        assert_eq!(check(standings, &[event(id, outcome)]), (vec![], rejected));
    }
}

#[test]
fn two_events_for_one_order_in_a_batch_meet_each_other() {
    let id = OrderId::new();
    let fresh = || vec![standing(id, Status::New, None)];
    let decided = vec![(id, Status::Finished)];
    let twice = [event(id, Outcome::Captured), event(id, Outcome::Captured)];
    assert_eq!(check(fresh(), &twice), (decided.clone(), vec![]));
    let contrary = [event(id, Outcome::Captured), event(id, TOO_POOR)];
    assert_eq!(
        check(fresh(), &contrary),
        (decided, vec![(1, ReasonClass::Conflict)])
    );
}

#[test]
fn an_order_that_is_not_there_may_yet_come_and_the_rest_stands() {
    let (known, unknown) = (OrderId::new(), OrderId::new());
    let standings = vec![standing(known, Status::New, None)];
    let batch = [
        event(unknown, Outcome::Captured),
        event(known, Outcome::Captured),
    ];
    let decisions = vec![(known, Status::Finished)];
    assert_eq!(
        check(standings.clone(), &batch),
        (decisions, vec![(0, ReasonClass::UnknownOrder)])
    );
    let verdict = decide(standings, batch.iter().enumerate());
    assert!(matches!(verdict.unsettled[0].outcome, Fate::NotYet(_)));
}
