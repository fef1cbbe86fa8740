//! Batches of payment outcomes against orders in every state.

use contracts::DeclineReason;
use time::OffsetDateTime;

use super::*;

const fn standing(order_id: OrderId, state: State) -> Standing {
    Standing { order_id, state }
}

fn event(order_id: OrderId, outcome: Outcome) -> PaymentDecision {
    PaymentDecision {
        order_id,
        outcome,
        received_at: Some(OffsetDateTime::UNIX_EPOCH),
        decided_at: OffsetDateTime::UNIX_EPOCH,
    }
}

/// Each of a batch with its place in it, and an event of its own.
fn heard(batch: &[PaymentDecision]) -> impl Iterator<Item = (usize, Heard<'_>)> {
    let events = batch.iter().map(|event| (EventId::new(), event));
    events.enumerate()
}

const NO_ACCOUNT: Outcome = Outcome::Declined(DeclineReason::NoAccount);
const TOO_POOR: Outcome = Outcome::Declined(DeclineReason::InsufficientFunds);
const ACCOUNTLESS: State = State::Cancelled(Reason::NotPaid(DeclineReason::NoAccount));
const REFUNDED: State = State::Cancelled(Reason::Refunded);

/// An order and the status it took.
type Taken = (OrderId, Status);

/// Runs a batch and says which orders took which status, and which events were refused as what.
fn check(
    standings: Vec<Standing>,
    batch: &[PaymentDecision],
) -> (Vec<Taken>, Vec<(usize, ReasonClass)>) {
    let verdict = decide(standings, heard(batch));
    let decisions = verdict.rounds.iter().flatten();
    let unsettled = verdict.unsettled.iter();
    (
        decisions
            .map(|decision| (decision.order_id, decision.to.status()))
            .collect(),
        unsettled
            .map(|unsettled| (unsettled.index, unsettled.rejection().class))
            .collect(),
    )
}

#[test]
fn a_new_order_is_finished_by_a_capture_and_cancelled_by_a_decline() {
    let (paid, unpaid) = (OrderId::new(), OrderId::new());
    let standings = vec![standing(paid, State::New), standing(unpaid, State::New)];
    let batch = [event(paid, Outcome::Captured), event(unpaid, TOO_POOR)];
    let decisions = vec![(paid, Status::Finished), (unpaid, Status::Cancelled)];
    assert_eq!(check(standings, &batch), (decisions, vec![]));
}

#[test]
fn the_same_outcome_again_changes_nothing() {
    let id = OrderId::new();
    for (state, outcome) in [
        (State::Finished, Outcome::Captured),
        (ACCOUNTLESS, NO_ACCOUNT),
        (REFUNDED, Outcome::Refunded),
        // Asked for again before the order was given up, and answered late.
        (State::Refunding, Outcome::Captured),
        (REFUNDED, Outcome::Captured),
    ] {
        let standings = vec![standing(id, state)];
        assert_eq!(check(standings, &[event(id, outcome)]), (vec![], vec![]));
    }
}

#[test]
fn another_outcome_for_a_decided_order_is_a_conflict() {
    let id = OrderId::new();
    for (state, outcome) in [
        (State::Finished, TOO_POOR),
        (State::Refunding, TOO_POOR),
        (ACCOUNTLESS, Outcome::Captured),
        (ACCOUNTLESS, Outcome::Refunded),
        (ACCOUNTLESS, TOO_POOR),
        (REFUNDED, TOO_POOR),
    ] {
        let standings = vec![standing(id, state)];
        let rejected = vec![(0, ReasonClass::Conflict)];
        assert_eq!(check(standings, &[event(id, outcome)]), (vec![], rejected));
    }
}

#[test]
fn two_events_for_one_order_in_a_batch_meet_each_other() {
    let id = OrderId::new();
    let fresh = || vec![standing(id, State::New)];
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
    let standings = vec![standing(known, State::New)];
    let batch = [
        event(unknown, Outcome::Captured),
        event(known, Outcome::Captured),
    ];
    let decisions = vec![(known, Status::Finished)];
    assert_eq!(
        check(standings.clone(), &batch),
        (decisions, vec![(0, ReasonClass::UnknownOrder)])
    );
    let verdict = decide(standings, heard(&batch));
    assert!(matches!(verdict.unsettled[0].outcome, Fate::NotYet(_)));
}

#[test]
fn an_order_that_was_given_up_is_cancelled_when_its_money_is_back() {
    let id = OrderId::new();
    let batch = [event(id, Outcome::Refunded), event(id, Outcome::Refunded)];
    let cancelled = vec![(id, Status::Cancelled)];
    let verdict = check(vec![standing(id, State::Refunding)], &batch);
    assert_eq!(verdict, (cancelled, vec![]));
}

#[test]
fn an_order_that_forgot_its_payment_and_its_refund_learns_both_one_after_the_other() {
    let id = OrderId::new();
    let batch = [event(id, Outcome::Captured), event(id, Outcome::Refunded)];
    let verdict = decide(vec![standing(id, State::New)], heard(&batch));
    let rounds: Vec<Vec<_>> = verdict
        .rounds
        .iter()
        .map(|round| {
            round
                .iter()
                .map(|change| (change.from, change.to))
                .collect()
        })
        .collect();
    assert_eq!(
        rounds,
        [
            [(Status::New, State::Finished)],
            [(Status::Finished, REFUNDED)]
        ]
    );
    assert_eq!(verdict.unsettled, []);
}

#[test]
fn a_refund_of_an_order_that_is_new_waits_for_its_payment() {
    let id = OrderId::new();
    let batch = [event(id, Outcome::Refunded)];
    let verdict = decide(vec![standing(id, State::New)], heard(&batch));
    assert!(verdict.rounds.is_empty());
    assert!(matches!(verdict.unsettled[0].outcome, Fate::NotYet(_)));
}
