//! However requests are cut into batches, what comes out is what one at a time would have given.

use contracts::{AccountId, EventId, Money, TraceContext};
use proptest::prelude::*;

use super::*;
use crate::{
    limits::{AMOUNT_MAX_MINOR, Amount, BALANCE_MAX_MINOR},
    settlement::model::{self, Outcome, RICH, Step, WEALTH, a_run, one_by_one},
};

const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

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
        if account.balance.amount_minor <= BALANCE_MAX_MINOR - amount_minor {
            account.balance.amount_minor += amount_minor;
        }
    }

    fn settle(&mut self, batch: &[(u64, i64, i64)]) {
        let received: Vec<_> = batch
            .iter()
            .map(|(order, user, amount_minor)| received(*order, *user, *amount_minor))
            .collect();
        let accounts: Vec<_> = self.accounts.values().copied().collect();
        let plan = plan(&received, &self.payments, &accounts, NOW);
        for (account_id, total) in plan.totals() {
            let account = self.account(account_id);
            account.balance.amount_minor -= total;
            assert!(account.balance.amount_minor >= 0);
        }
        for debit in &plan.debits {
            let owner = self.account(debit.account_id).user_id.as_i64();
            self.outcome.ledger.entry(owner).or_default().push((
                debit.order_id.as_uuid().as_u64_pair().1,
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

    fn account(&mut self, id: AccountId) -> &mut Account {
        let mut accounts = self.accounts.values_mut();
        accounts.find(|account| account.id == id).unwrap()
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

fn received(order: u64, user: i64, amount_minor: i64) -> Received<PaymentRequest> {
    Received {
        event_id: EventId::new(),
        trace: TraceContext::root(),
        received_at: NOW,
        message: PaymentRequest {
            order_id: OrderId::from(uuid::Uuid::from_u64_pair(0, order)),
            user_id: UserId::try_from(user).unwrap(),
            amount: Amount::try_from(Money::rub(amount_minor)).unwrap(),
        },
    }
}

/// The outcome of these steps by the plan, cut into batches of these sizes.
fn in_batches(steps: &[Step], sizes: &[usize]) -> Outcome {
    let mut shop = Shop::default();
    shop.top_up(RICH, WEALTH);
    for batch in model::in_batches(steps, sizes) {
        let mut orders = Vec::new();
        for step in batch {
            match step {
                Step::TopUp { user, amount_minor } => shop.top_up(user, amount_minor),
                Step::Order {
                    order,
                    user,
                    amount_minor,
                } => orders.push((order, user, amount_minor)),
            }
        }
        shop.settle(&orders);
    }
    shop.outcome()
}

const fn top_up(user: i64, amount_minor: i64) -> Step {
    Step::TopUp { user, amount_minor }
}

const fn order(order: u64, user: i64, amount_minor: i64) -> Step {
    Step::Order {
        order,
        user,
        amount_minor,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_batching_gives_what_one_by_one_gives((steps, sizes) in a_run(120)) {
        prop_assert_eq!(in_batches(&steps, &sizes), one_by_one(&steps));
    }
}

#[test]
fn a_large_order_that_does_not_fit_does_not_keep_a_small_one_from_being_paid() {
    let steps = [top_up(1, 100), order(1, 1, 101), order(2, 1, 100)];
    let outcome = in_batches(&steps, &[3]);
    let declined = Decision::Declined(DeclineReason::InsufficientFunds);
    assert_eq!(outcome.answers, [Some(declined), Some(Decision::Captured)]);
    assert_eq!(outcome.balances[&1], 0);
}

#[test]
fn an_order_named_twice_in_a_batch_is_decided_once() {
    let steps = [
        top_up(1, 100),
        order(1, 1, 40),
        order(1, 1, 40),
        order(1, 1, 41),
        order(1, 2, 40),
    ];
    let outcome = in_batches(&steps, &[4]);
    let captured = Some(Decision::Captured);
    assert_eq!(outcome.answers, [captured, captured, None, None]);
    assert_eq!(outcome.ledger, BTreeMap::from([(1, vec![(1, 40, 60)])]));
}

#[test]
fn the_smallest_and_the_largest_amount_are_paid_off_the_largest_balance() {
    let steps = [
        top_up(RICH, 20),
        order(1, RICH, 1),
        order(2, RICH, AMOUNT_MAX_MINOR),
    ];
    let outcome = in_batches(&steps, &[2]);
    assert_eq!(outcome.answers, [Some(Decision::Captured); 2]);
    let rest = BALANCE_MAX_MINOR - 1 - AMOUNT_MAX_MINOR;
    assert_eq!(outcome.balances[&RICH], rest);
}
