//! What settlement is meant to do, told a second time in the plainest way: one request after the other, no batches, no
//! plan, no SQL. Whatever settles the same steps in batches is held against it.

use std::collections::{BTreeMap, BTreeSet};

use contracts::DeclineReason;
use proptest::prelude::*;

use super::request::Purpose;
use crate::{
    limits::{AMOUNT_MAX_MINOR, BALANCE_MAX_MINOR},
    storage::payment::Decision,
};

/// The user who begins with nearly as much as an account may hold.
pub(super) const RICH: i64 = 5;

/// What the rich user begins with: top-ups soon meet the ceiling.
pub(super) const WEALTH: i64 = BALANCE_MAX_MINOR - 20;

/// The user who pays for most orders.
const HOT: i64 = 1;

/// What happens to a shop: money comes in, or an order wants some.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// The first one of a user opens the account.
    TopUp { user: i64, amount_minor: i64 },
    /// A request to pay an order, or to give its money back; perhaps not the first one.
    Ask {
        purpose: Purpose,
        order: u64,
        user: i64,
        amount_minor: i64,
    },
}

/// Everything that can be seen afterwards.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Outcome {
    pub(super) balances: BTreeMap<i64, i64>,
    /// Order, change, balance after: in the order of the entries of each user.
    pub(super) ledger: BTreeMap<i64, Vec<(u64, i64, i64)>>,
    /// The answers to each request; none for one that was not settled.
    pub(super) answers: Vec<Vec<Told>>,
}

/// What a request is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Decided(Decision),
    Refunded,
}

/// The outcome of these steps, one by one.
pub(super) fn one_by_one(steps: &[Step]) -> Outcome {
    let mut outcome = Outcome::default();
    outcome.balances.insert(RICH, WEALTH);
    let mut decided: BTreeMap<u64, (i64, i64, Decision)> = BTreeMap::new();
    let mut refunded: BTreeSet<u64> = BTreeSet::new();
    for step in steps {
        match *step {
            Step::TopUp { user, amount_minor } => {
                let balance = outcome.balances.entry(user).or_default();
                if *balance <= BALANCE_MAX_MINOR - amount_minor {
                    *balance += amount_minor;
                }
            }
            Step::Ask {
                purpose: Purpose::Payment,
                order,
                user,
                amount_minor,
            } => {
                let (known_user, known_amount, answer) =
                    *decided.entry(order).or_insert_with(|| {
                        (user, amount_minor, outcome.pay(order, user, amount_minor))
                    });
                let same = (known_user, known_amount) == (user, amount_minor);
                let mut told = Vec::new();
                if same {
                    told.push(Told::Decided(answer));
                    told.extend(refunded.contains(&order).then_some(Told::Refunded));
                }
                outcome.answers.push(told);
            }
            Step::Ask {
                purpose: Purpose::Refund,
                order,
                user,
                amount_minor,
            } => {
                let paid = decided.get(&order) == Some(&(user, amount_minor, Decision::Captured));
                if paid && refunded.insert(order) {
                    outcome.book(order, user, amount_minor);
                }
                let told = paid.then_some(Told::Refunded);
                outcome.answers.push(told.into_iter().collect());
            }
        }
    }
    outcome
}

impl Outcome {
    fn pay(&mut self, order: u64, user: i64, amount_minor: i64) -> Decision {
        match self.balances.get(&user).copied() {
            None => Decision::Declined(DeclineReason::NoAccount),
            Some(balance) if balance < amount_minor => {
                Decision::Declined(DeclineReason::InsufficientFunds)
            }
            Some(_) => {
                self.book(order, user, -amount_minor);
                Decision::Captured
            }
        }
    }

    fn book(&mut self, order: u64, user: i64, change_minor: i64) {
        let balance = self.balances.entry(user).or_default();
        *balance += change_minor;
        let entries = self.ledger.entry(user).or_default();
        entries.push((order, change_minor, *balance));
    }
}

/// The same steps gathered: runs of requests in batches of these sizes, and top-ups, each of which ends a batch, for it is
/// its own transaction.
pub(super) fn in_batches(steps: &[Step], sizes: &[usize]) -> Vec<Vec<Step>> {
    let mut sizes = sizes.iter().copied().cycle();
    let mut size = 0;
    let mut batches: Vec<Vec<Step>> = Vec::new();
    for step in steps {
        let follows_request = batches
            .last()
            .is_some_and(|batch| matches!(batch[..], [Step::Ask { .. }, ..]) && batch.len() < size);
        match batches.last_mut() {
            Some(batch) if follows_request && matches!(step, Step::Ask { .. }) => batch.push(*step),
            _ => {
                size = sizes.next().unwrap_or(1);
                batches.push(vec![*step]);
            }
        }
    }
    batches
}

/// Small sums, so that balances run out, and now and then the smallest and largest there are.
fn an_amount() -> impl Strategy<Value = i64> {
    prop_oneof![
        8 => 1..15_i64,
        1 => prop_oneof![Just(1), Just(AMOUNT_MAX_MINOR - 1), Just(AMOUNT_MAX_MINOR)],
    ]
}

fn a_user() -> impl Strategy<Value = i64> {
    prop_oneof![3 => Just(HOT), 2 => 1..=RICH]
}

/// Mostly payments, for only what was paid is refunded.
fn a_purpose() -> impl Strategy<Value = Purpose> {
    prop_oneof![3 => Just(Purpose::Payment), 2 => Just(Purpose::Refund)]
}

/// Few users and few orders, so that orders are asked for again, also with other contents.
fn a_step() -> impl Strategy<Value = Step> {
    let top_up = (a_user(), prop_oneof![4 => 1..40_i64, 1 => an_amount()])
        .prop_map(|(user, amount_minor)| Step::TopUp { user, amount_minor });
    let order = (a_purpose(), 0..60_u64, a_user(), an_amount()).prop_map(
        |(purpose, order, user, amount_minor)| Step::Ask {
            purpose,
            order,
            user,
            amount_minor,
        },
    );
    // Asked for again and again: the user and the amount follow from the order.
    let repeated = (a_purpose(), 0..10_i64).prop_map(|(purpose, order)| Step::Ask {
        purpose,
        order: 1_000 + order.unsigned_abs(),
        user: order % 4 + 1,
        amount_minor: order + 1,
    });
    prop_oneof![1 => top_up, 6 => order, 2 => repeated]
}

/// Steps and the sizes of the batches they are cut into.
pub(super) fn a_run(steps: usize) -> impl Strategy<Value = (Vec<Step>, Vec<usize>)> {
    (
        prop::collection::vec(a_step(), 0..steps),
        prop::collection::vec(1..40_usize, 1..8),
    )
}
