//! However requests are cut into batches, what comes out is what one at a time would have given.

use std::collections::BTreeMap;

use contracts::{AccountId, EventId, Money, TraceContext};
use proptest::prelude::*;

use super::*;
use crate::limits::{AMOUNT_MAX_MINOR, Amount};

const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

/// What happens to a shop: money comes in, or an order wants some.
#[derive(Debug, Clone, Copy)]
enum Step {
    TopUp {
        user: i64,
        amount_minor: i64,
    },
    Order {
        order: u128,
        user: i64,
        amount_minor: i64,
    },
}

/// Everything that can be seen afterwards.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    balances: BTreeMap<i64, i64>,
    /// Order, amount, balance after: in the order of the debits of each user.
    ledger: BTreeMap<i64, Vec<(u128, i64, i64)>>,
    /// The answer to each order step; none for a conflict.
    answers: Vec<Option<Decision>>,
}

/// The shop in memory, settling batches by the plan, as the tables would be after each transaction.
#[derive(Default)]
struct Shop {
    accounts: BTreeMap<UserId, Account>,
    payments: Vec<Payment>,
    outcome: Outcome,
}

impl Shop {
    fn top_up(&mut self, user: i64, amount_minor: i64) {
        let user_id = UserId::try_from(user).unwrap();
        let account = self.accounts.entry(user_id).or_insert_with(|| Account {
            id: AccountId::new(),
            user_id,
            balance: Money::rub(0),
            created_at: NOW,
        });
        account.balance.amount_minor += amount_minor;
    }

    fn settle(&mut self, batch: &[(u128, i64, i64)]) {
        let received: Vec<_> = batch
            .iter()
            .map(|(order, user, amount_minor)| received(*order, *user, *amount_minor))
            .collect();
        let accounts: Vec<_> = self.accounts.values().copied().collect();
        let plan = plan(&received, &self.payments, &accounts, NOW);
        for (account_id, total) in plan.totals() {
            let account = self
                .accounts
                .values_mut()
                .find(|a| a.id == account_id)
                .unwrap();
            account.balance.amount_minor -= total;
            assert!(account.balance.amount_minor >= 0);
        }
        for debit in &plan.debits {
            let owner = self
                .accounts
                .values()
                .find(|a| a.id == debit.account_id)
                .unwrap();
            self.outcome
                .ledger
                .entry(owner.user_id.as_i64())
                .or_default()
                .push((
                    debit.order_id.as_uuid().as_u128(),
                    debit.amount.money().amount_minor,
                    debit.balance_after.amount_minor,
                ));
        }
        let mut answers = vec![None; batch.len()];
        for (index, payment) in &plan.answers {
            answers[*index] = Some(payment.decision);
        }
        assert_eq!(plan.answers.len() + plan.conflicts.len(), batch.len());
        self.outcome.answers.extend(answers);
        self.payments.extend(plan.decided);
    }

    fn outcome(mut self) -> Outcome {
        self.outcome.balances = self
            .accounts
            .values()
            .map(|account| (account.user_id.as_i64(), account.balance.amount_minor))
            .collect();
        self.outcome
    }
}

fn received(order: u128, user: i64, amount_minor: i64) -> Received<PaymentRequest> {
    Received {
        event_id: EventId::new(),
        trace: TraceContext::root(),
        received_at: NOW,
        message: PaymentRequest {
            order_id: OrderId::from(uuid::Uuid::from_u128(order)),
            user_id: UserId::try_from(user).unwrap(),
            amount: Amount::try_from(Money::rub(amount_minor)).unwrap(),
        },
    }
}

/// What the shop is meant to do, told a second time in the plainest way and without the plan.
fn one_by_one(steps: &[Step]) -> Outcome {
    let mut outcome = Outcome::default();
    let mut decided: BTreeMap<u128, (i64, i64, Decision)> = BTreeMap::new();
    for step in steps {
        match *step {
            Step::TopUp { user, amount_minor } => {
                *outcome.balances.entry(user).or_default() += amount_minor;
            }
            Step::Order {
                order,
                user,
                amount_minor,
            } => {
                let balance = outcome.balances.get(&user).copied();
                let (known_user, known_amount, answer) =
                    *decided.entry(order).or_insert_with(|| match balance {
                        None => (
                            user,
                            amount_minor,
                            Decision::Declined(DeclineReason::NoAccount),
                        ),
                        Some(balance) if balance < amount_minor => {
                            let reason = DeclineReason::InsufficientFunds;
                            (user, amount_minor, Decision::Declined(reason))
                        }
                        Some(balance) => {
                            let rest = balance - amount_minor;
                            outcome.balances.insert(user, rest);
                            let entries = outcome.ledger.entry(user).or_default();
                            entries.push((order, amount_minor, rest));
                            (user, amount_minor, Decision::Captured)
                        }
                    });
                let same = (known_user, known_amount) == (user, amount_minor);
                outcome.answers.push(same.then_some(answer));
            }
        }
    }
    outcome
}

/// The same steps, orders gathered into batches of these sizes; a top-up ends a batch, for it is its own transaction.
fn in_batches(steps: &[Step], sizes: &[usize]) -> Outcome {
    let mut shop = Shop::default();
    let mut sizes = sizes.iter().copied().cycle();
    let mut size = sizes.next().unwrap_or(1);
    let mut batch = Vec::new();
    for step in steps {
        match *step {
            Step::TopUp { user, amount_minor } => {
                shop.settle(&std::mem::take(&mut batch));
                shop.top_up(user, amount_minor);
            }
            Step::Order {
                order,
                user,
                amount_minor,
            } => {
                batch.push((order, user, amount_minor));
                if batch.len() >= size {
                    shop.settle(&std::mem::take(&mut batch));
                    size = sizes.next().unwrap_or(1);
                }
            }
        }
    }
    shop.settle(&batch);
    shop.outcome()
}

/// Few users, small sums and few orders, so that balances run out and orders are asked again, also with other contents.
fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (1..5_i64, 1..40_i64).prop_map(|(user, amount_minor)| Step::TopUp { user, amount_minor }),
        6 => (0..60_u128, 1..5_i64, 1..15_i64)
            .prop_map(|(order, user, amount_minor)| Step::Order { order, user, amount_minor }),
        // Asked again and again: the user and the amount follow from the order.
        2 => (0..10_i64).prop_map(|order| Step::Order {
            order: 1_000 + u128::from(order.unsigned_abs()),
            user: order % 4 + 1,
            amount_minor: order + 1,
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_batching_gives_what_one_by_one_gives(
        steps in prop::collection::vec(a_step(), 0..120),
        sizes in prop::collection::vec(1..40_usize, 1..8),
    ) {
        prop_assert_eq!(in_batches(&steps, &sizes), one_by_one(&steps));
    }
}

#[test]
fn a_large_order_that_does_not_fit_does_not_keep_a_small_one_from_being_paid() {
    let steps = [
        Step::TopUp {
            user: 1,
            amount_minor: 100,
        },
        Step::Order {
            order: 1,
            user: 1,
            amount_minor: 101,
        },
        Step::Order {
            order: 2,
            user: 1,
            amount_minor: 100,
        },
    ];
    let outcome = in_batches(&steps, &[3]);
    let declined = Decision::Declined(DeclineReason::InsufficientFunds);
    assert_eq!(outcome.answers, [Some(declined), Some(Decision::Captured)]);
    assert_eq!(outcome.balances, BTreeMap::from([(1, 0)]));
}

#[test]
fn an_order_named_twice_in_a_batch_is_decided_once() {
    let steps = [
        Step::TopUp {
            user: 1,
            amount_minor: 100,
        },
        Step::Order {
            order: 1,
            user: 1,
            amount_minor: 40,
        },
        Step::Order {
            order: 1,
            user: 1,
            amount_minor: 40,
        },
        Step::Order {
            order: 1,
            user: 1,
            amount_minor: 41,
        },
        Step::Order {
            order: 1,
            user: 2,
            amount_minor: 40,
        },
    ];
    let outcome = in_batches(&steps, &[4]);
    let captured = Some(Decision::Captured);
    assert_eq!(outcome.answers, [captured, captured, None, None]);
    assert_eq!(outcome.ledger, BTreeMap::from([(1, vec![(1, 40, 60)])]));
}

#[test]
fn the_smallest_and_the_largest_amount_are_paid_off_the_largest_balance() {
    let mut shop = Shop::default();
    shop.top_up(1, i64::MAX);
    shop.settle(&[(1, 1, 1), (2, 1, AMOUNT_MAX_MINOR)]);
    let outcome = shop.outcome();
    assert_eq!(outcome.answers, [Some(Decision::Captured); 2]);
    assert_eq!(outcome.balances[&1], i64::MAX - 1 - AMOUNT_MAX_MINOR);
}
