//! Orders as they can honestly be seen are in order; each lie about one is found.

use std::collections::BTreeMap;

use contracts::{DeclineReason, OrderId, UserId};
use proptest::prelude::*;

use super::*;

const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;
const PATIENCE: Patience = Patience {
    now: NOW,
    stuck_after: Duration::from_mins(1),
};

fn user(id: i64) -> UserId {
    UserId::try_from(id).unwrap()
}

/// How far an order has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Placed,
    Decided,
    Told,
    GivenUp,
    Refunded,
    Returned,
}

/// An order's life: what is decided on it, and how far it has come when each side is read.
#[derive(Debug, Clone, Copy)]
struct Life {
    id: u128,
    declined: Option<DeclineReason>,
    when_orders_read: Stage,
    when_payments_read: Stage,
    age: Duration,
}

impl Life {
    fn order(self) -> AuditedOrder {
        let (state, version) = match (self.when_orders_read, self.declined) {
            (Stage::Placed | Stage::Decided, _) => (State::New, 1),
            (_, Some(reason)) => (State::Cancelled(Reason::NotPaid(reason)), 2),
            (Stage::Told, None) => (State::Finished, 2),
            (Stage::GivenUp | Stage::Refunded, None) => (State::Refunding, 3),
            (Stage::Returned, None) => (State::Cancelled(Reason::Refunded), 4),
        };
        AuditedOrder {
            id: OrderId::from(Uuid::from_u128(self.id)),
            order: Some(OrderFacts {
                user_id: user(7),
                amount_minor: 40,
                currency: "RUB".to_owned(),
                status: state.status(),
                reason: state.reason(),
                version,
                created_at: NOW - self.age,
            }),
            history: Some(HistoryFacts {
                rows: version.into(),
                first_version: 1,
                first_status: Status::New,
                last_version: version,
                last_status: state.status(),
                last_at: NOW - self.age,
                users: (user(7), user(7)),
            }),
        }
    }

    fn payment(self) -> Option<AuditedPayment> {
        (self.when_payments_read >= Stage::Decided).then(|| AuditedPayment {
            order_id: OrderId::from(Uuid::from_u128(self.id)),
            decision: Some(DecisionFacts {
                user_id: user(7),
                amount_minor: 40,
                currency: "RUB".to_owned(),
                declined: self.declined,
            }),
            debit: self.declined.is_none().then(|| entry(-40)),
            refund: self.is_refunded().then(|| entry(40)),
        })
    }

    fn is_refunded(self) -> bool {
        self.declined.is_none() && self.when_payments_read >= Stage::Refunded
    }

    /// What the look at the orders was too early for, and only a second one clears up.
    fn is_seen_unlike_refund(self) -> bool {
        self.is_refunded() && self.when_orders_read <= Stage::Told
    }

    fn is_waiting(self) -> bool {
        match self.when_orders_read {
            Stage::Placed | Stage::Decided => true,
            Stage::Told | Stage::Returned => false,
            Stage::GivenUp | Stage::Refunded => self.declined.is_none(),
        }
    }
}

fn entry(amount_minor: i64) -> EntryFacts {
    EntryFacts {
        rows: 1,
        amount_minor,
        user_id: Some(user(7)),
    }
}

fn a_stage() -> impl Strategy<Value = Stage> {
    prop_oneof![
        Just(Stage::Placed),
        Just(Stage::Decided),
        Just(Stage::Told),
        Just(Stage::GivenUp),
        Just(Stage::Refunded),
        Just(Stage::Returned)
    ]
}

fn a_life() -> impl Strategy<Value = Life> {
    let declined = prop_oneof![
        Just(None),
        Just(Some(DeclineReason::NoAccount)),
        Just(Some(DeclineReason::InsufficientFunds)),
    ];
    (0..500_u128, declined, a_stage(), a_stage(), 0..120_u64).prop_map(
        |(id, declined, one, another, age_seconds)| Life {
            id,
            declined,
            // The orders are read first.
            when_orders_read: one.min(another),
            when_payments_read: one.max(another),
            age: Duration::from_secs(age_seconds),
        },
    )
}

fn lives() -> impl Strategy<Value = BTreeMap<u128, Life>> {
    prop::collection::vec(a_life(), 0..60)
        .prop_map(|lives| lives.into_iter().map(|life| (life.id, life)).collect())
}

/// Both sides of these lives, merged.
fn pairs(lives: &BTreeMap<u128, Life>) -> Vec<Pair> {
    let orders = lives.values().map(|life| life.order());
    let payments = lives.values().filter_map(|life| life.payment());
    merge(orders, payments.collect::<Vec<_>>()).collect()
}

fn checks(pair: &Pair) -> Vec<Check> {
    judge(pair, PATIENCE)
        .into_iter()
        .map(|fault| fault.check)
        .collect()
}

/// Makes what both services say of an order untrue.
type Lie = fn(&mut OrderFacts, &mut DecisionFacts, &mut EntryFacts);

/// What is wrong with a refund.
type RefundLie = fn(&mut EntryFacts);

/// An order that was paid, and everybody knows.
fn paid() -> Pair {
    known_to_all(Stage::Told)
}

/// An order that was paid and given up and got its money back, and everybody knows.
fn returned() -> Pair {
    known_to_all(Stage::Returned)
}

fn known_to_all(stage: Stage) -> Pair {
    let life = Life {
        id: 1,
        declined: None,
        when_orders_read: stage,
        when_payments_read: stage,
        age: Duration::ZERO,
    };
    Pair {
        id: Uuid::from_u128(1),
        order: Some(life.order()),
        payment: life.payment(),
    }
}

proptest! {
    #[test]
    fn whatever_is_on_its_way_is_in_order_until_it_is_stuck(lives in lives()) {
        let pairs = pairs(&lives);
        prop_assert_eq!(pairs.len(), lives.len());
        for (pair, (id, life)) in pairs.iter().zip(&lives) {
            prop_assert_eq!(pair.id.as_u128(), *id);
            let stuck = life.is_waiting() && life.age > PATIENCE.stuck_after;
            let unlike = life.is_seen_unlike_refund().then_some(Check::StatusUnlikeRefund);
            let expected: Vec<_> = unlike
                .into_iter()
                .chain(stuck.then_some(Check::OrderStuck))
                .collect();
            prop_assert_eq!(checks(pair), expected);
        }
    }

    #[test]
    fn a_decision_that_is_lost_is_missed_by_every_order_that_knows_of_it(lives in lives()) {
        let orders = lives.values().map(|life| life.order());
        for pair in merge(orders, []) {
            let known = lives[&pair.id.as_u128()].when_orders_read >= Stage::Told;
            prop_assert_eq!(checks(&pair).contains(&Check::OrderWithoutDecision), known);
        }
    }

    #[test]
    fn a_merge_shows_every_row_of_both_sides_once_and_in_order(
        orders in prop::collection::btree_set(0..100_u128, 0..60),
        payments in prop::collection::btree_set(0..100_u128, 0..60),
    ) {
        let order = |id: &u128| AuditedOrder {
            id: OrderId::from(Uuid::from_u128(*id)),
            order: None,
            history: None,
        };
        let payment = |id: &u128| AuditedPayment {
            order_id: OrderId::from(Uuid::from_u128(*id)),
            decision: None,
            debit: None,
            refund: None,
        };
        let merged: Vec<_> = merge(
            orders.iter().map(order).collect::<Vec<_>>(),
            payments.iter().map(payment).collect::<Vec<_>>(),
        )
        .map(|pair| {
            let id = pair.id.as_u128();
            assert!(pair.order.as_ref().is_none_or(|order| order.id.as_uuid() == pair.id));
            assert!(pair.payment.as_ref().is_none_or(|payment| payment.order_id.as_uuid() == pair.id));
            (id, pair.order.is_some(), pair.payment.is_some())
        })
        .collect();
        let expected: Vec<_> = orders
            .union(&payments)
            .map(|id| (*id, orders.contains(id), payments.contains(id)))
            .collect();
        prop_assert_eq!(merged, expected);
    }
}

#[test]
fn a_paid_order_is_in_order() {
    assert_eq!(checks(&paid()), []);
}

#[test]
fn each_lie_about_a_paid_order_is_found() {
    let lies: &[(&[Check], Lie)] = &[
        (&[Check::DebitedTwice], |_, _, entries| entries.rows = 2),
        (&[Check::DebitUnlikeDecision], |_, _, entries| {
            entries.amount_minor = -41;
        }),
        (&[Check::DebitUnlikeDecision], |_, _, entries| {
            entries.amount_minor = 40;
        }),
        (&[Check::DebitUnlikeDecision], |_, _, entries| {
            entries.user_id = None;
        }),
        (&[Check::DebitUnlikeDecision], |_, _, entries| {
            entries.user_id = Some(user(8));
        }),
        (&[Check::OrderUnlikeDecision], |order, _, _| {
            order.amount_minor = 41;
        }),
        (&[Check::OrderUnlikeDecision], |order, _, _| {
            order.currency = "USD".to_owned();
        }),
        (
            &[Check::HistoryUnlikeOrder, Check::OrderUnlikeDecision],
            |order, _, _| order.user_id = user(8),
        ),
        (
            &[Check::HistoryUnlikeOrder, Check::StatusUnlikeDecision],
            |order, _, _| order.status = Status::Cancelled,
        ),
        (&[Check::StatusUnlikeDecision], |order, _, _| {
            order.reason = Some(Reason::NotPaid(DeclineReason::NoAccount));
        }),
        (&[Check::HistoryUnlikeOrder], |order, _, _| {
            order.version = 1;
        }),
        (
            &[Check::DeclinedWithDebit, Check::StatusUnlikeDecision],
            |_, decision, _| decision.declined = Some(DeclineReason::NoAccount),
        ),
    ];
    for (index, (expected, lie)) in lies.iter().enumerate() {
        let mut pair = paid();
        let order = pair.order.as_mut().and_then(|side| side.order.as_mut());
        let payment = pair.payment.as_mut().unwrap();
        let (decision, entries) = (payment.decision.as_mut(), payment.debit.as_mut());
        lie(order.unwrap(), decision.unwrap(), entries.unwrap());
        assert_eq!(checks(&pair), *expected, "lie {index}");
    }
}

#[test]
fn each_lie_about_a_refunded_order_is_found() {
    assert_eq!(checks(&returned()), []);
    let mut pair = returned();
    pair.payment.as_mut().unwrap().refund = None;
    assert_eq!(checks(&pair), [Check::StatusUnlikeRefund]);
    let mut pair = paid();
    pair.payment.as_mut().unwrap().refund = Some(entry(40));
    assert_eq!(checks(&pair), [Check::StatusUnlikeRefund]);
    let mut pair = known_to_all(Stage::Placed);
    pair.payment = returned().payment;
    assert_eq!(checks(&pair), [Check::StatusUnlikeRefund]);
    let mut pair = returned();
    pair.payment.as_mut().unwrap().debit = None;
    assert_eq!(
        checks(&pair),
        [Check::CapturedWithoutDebit, Check::RefundWithoutDebit]
    );
    let lies: [(Check, RefundLie); 3] = [
        (Check::RefundedTwice, |refund| refund.rows = 2),
        (Check::RefundUnlikeDebit, |refund| refund.amount_minor = 41),
        (Check::RefundUnlikeDebit, |refund| {
            refund.user_id = Some(user(8));
        }),
    ];
    for (expected, lie) in lies {
        let mut pair = returned();
        lie(pair.payment.as_mut().unwrap().refund.as_mut().unwrap());
        assert_eq!(checks(&pair), [expected]);
    }
    let mut pair = known_to_all(Stage::Refunded);
    let decision = pair.payment.as_mut().unwrap().decision.as_mut();
    decision.unwrap().declined = Some(DeclineReason::NoAccount);
    assert_eq!(
        checks(&pair),
        [Check::DeclinedWithDebit, Check::StatusUnlikeDecision]
    );
}

#[test]
fn what_only_one_side_knows_is_found() {
    let mut pair = paid();
    pair.order = None;
    assert_eq!(checks(&pair), [Check::DecisionWithoutOrder]);
    let mut pair = paid();
    pair.payment = None;
    assert_eq!(checks(&pair), [Check::OrderWithoutDecision]);
    let mut pair = paid();
    pair.payment.as_mut().unwrap().debit = None;
    assert_eq!(checks(&pair), [Check::CapturedWithoutDebit]);
    let mut pair = paid();
    pair.payment.as_mut().unwrap().decision = None;
    assert_eq!(
        checks(&pair),
        [Check::DebitWithoutDecision, Check::OrderWithoutDecision]
    );
    let mut pair = paid();
    pair.order.as_mut().unwrap().history = None;
    assert_eq!(checks(&pair), [Check::OrderWithoutHistory]);
    let mut pair = paid();
    pair.order.as_mut().unwrap().order = None;
    assert_eq!(
        checks(&pair),
        [Check::HistoryWithoutOrder, Check::DecisionWithoutOrder]
    );
}

#[test]
fn a_history_that_is_not_whole_is_found() {
    let gaps: [fn(&mut HistoryFacts); 3] = [
        |history| history.rows = 1,
        |history| history.first_version = 2,
        |history| history.first_status = Status::Finished,
    ];
    for gap in gaps {
        let mut pair = paid();
        gap(pair.order.as_mut().unwrap().history.as_mut().unwrap());
        assert_eq!(checks(&pair), [Check::HistoryWithGaps]);
    }
}
