//! However requests are cut into batches, what comes out is what one at a time would have given.

use contracts::{AccountId, EventId, Money, TraceContext};
use proptest::prelude::*;

use super::{
    Account, Answer, BTreeMap, Decision, DeclineReason, OffsetDateTime, OrderId, Payment,
    PaymentRequest, Purpose, Received, Refund, Standing, UserId, plan,
};
use crate::{
    limits::{AMOUNT_MAX_MINOR, Amount, BALANCE_MAX_MINOR},
    settlement::model::{self, Outcome, RICH, Step, Told, WEALTH, a_run, one_by_one},
};

const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

/// The shop in memory, settling batches by the plan, as the tables would be after each transaction.
#[derive(Default)]
struct Shop {
    accounts: BTreeMap<UserId, Account>,
    payments: Vec<Payment>,
    refunds: Vec<Refund>,
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

    fn settle(&mut self, received: &[Received<PaymentRequest>]) {
        let standing = Standing {
            payments: self.payments.clone(),
            refunds: self.refunds.clone(),
            accounts: self.accounts.values().copied().collect(),
        };
        let plan = plan(received, standing, NOW);
        for (account_id, total) in plan.totals() {
            let account = self.account(account_id);
            account.balance.amount_minor += total;
            assert!(account.balance.amount_minor >= 0);
        }
        for entry in &plan.entries {
            let owner = self.account(entry.account_id).user_id.as_i64();
            self.outcome.ledger.entry(owner).or_default().push((
                entry.order_id.as_uuid().as_u64_pair().1,
                entry.amount_minor(),
                entry.balance_after.amount_minor,
            ));
        }
        let mut answers = vec![Vec::new(); received.len()];
        for (index, answer) in &plan.answers {
            answers[*index].push(match answer {
                Answer::Decided(payment) => Told::Decided(payment.decision),
                Answer::Refunded(refund) => {
                    self.refunds.push(*refund);
                    Told::Refunded
                }
            });
        }
        for (index, answers) in answers.iter().enumerate() {
            let refused = plan.unsettled.iter().any(|it| it.index == index);
            assert_eq!(refused, answers.is_empty(), "refused or answered");
        }
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

fn received(
    purpose: Purpose,
    order: u64,
    user: i64,
    amount_minor: i64,
) -> Received<PaymentRequest> {
    Received {
        event_id: EventId::new(),
        trace: TraceContext::root(),
        received_at: NOW,
        message: PaymentRequest {
            purpose,
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
        let mut requests = Vec::new();
        for step in batch {
            match step {
                Step::TopUp { user, amount_minor } => shop.top_up(user, amount_minor),
                Step::Ask {
                    purpose,
                    order,
                    user,
                    amount_minor,
                } => requests.push(received(purpose, order, user, amount_minor)),
            }
        }
        shop.settle(&requests);
    }
    shop.outcome()
}

const fn top_up(user: i64, amount_minor: i64) -> Step {
    Step::TopUp { user, amount_minor }
}

const fn order(order: u64, user: i64, amount_minor: i64) -> Step {
    Step::Ask {
        purpose: Purpose::Payment,
        order,
        user,
        amount_minor,
    }
}

const fn refund(order: u64, user: i64, amount_minor: i64) -> Step {
    Step::Ask {
        purpose: Purpose::Refund,
        order,
        user,
        amount_minor,
    }
}

const CAPTURED: Told = Told::Decided(Decision::Captured);

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
    let declined = Told::Decided(Decision::Declined(DeclineReason::InsufficientFunds));
    assert_eq!(outcome.answers, [[declined], [CAPTURED]]);
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
    let answers = [vec![CAPTURED], vec![CAPTURED], vec![], vec![]];
    assert_eq!(outcome.answers, answers);
    assert_eq!(outcome.ledger, BTreeMap::from([(1, vec![(1, -40, 60)])]));
}

#[test]
fn the_smallest_and_the_largest_amount_are_paid_off_the_largest_balance() {
    let steps = [
        top_up(RICH, 20),
        order(1, RICH, 1),
        order(2, RICH, AMOUNT_MAX_MINOR),
    ];
    let outcome = in_batches(&steps, &[2]);
    assert_eq!(outcome.answers, [[CAPTURED]; 2]);
    let rest = BALANCE_MAX_MINOR - 1 - AMOUNT_MAX_MINOR;
    assert_eq!(outcome.balances[&RICH], rest);
}

#[test]
fn money_given_back_pays_the_next_order_of_the_batch() {
    let steps = [
        top_up(1, 100),
        order(1, 1, 100),
        order(2, 1, 100),
        refund(1, 1, 100),
        order(3, 1, 100),
        refund(1, 1, 100),
        order(1, 1, 100),
    ];
    let outcome = in_batches(&steps, &[6]);
    let declined = Told::Decided(Decision::Declined(DeclineReason::InsufficientFunds));
    let answers = [
        vec![CAPTURED],
        vec![declined],
        vec![Told::Refunded],
        vec![CAPTURED],
        vec![Told::Refunded],
        vec![CAPTURED, Told::Refunded],
    ];
    assert_eq!(outcome.answers, answers);
    let entries = vec![(1, -100, 0), (1, 100, 100), (3, -100, 0)];
    assert_eq!(outcome.ledger, BTreeMap::from([(1, entries)]));
}

#[test]
fn a_refund_may_go_beyond_the_ceiling_of_top_ups() {
    let steps = [
        top_up(RICH, 20),
        order(1, RICH, AMOUNT_MAX_MINOR),
        top_up(RICH, AMOUNT_MAX_MINOR),
        refund(1, RICH, AMOUNT_MAX_MINOR),
    ];
    let outcome = in_batches(&steps, &[1]);
    let balance = BALANCE_MAX_MINOR + AMOUNT_MAX_MINOR;
    assert_eq!(outcome.balances[&RICH], balance);
}

#[test]
fn what_no_account_can_hold_is_refused_and_changes_nothing() {
    let mut shop = Shop::default();
    shop.top_up(1, 100);
    shop.settle(&[received(Purpose::Payment, 1, 1, 100)]);
    let account = shop.accounts.values_mut().next().unwrap();
    account.balance.amount_minor = i64::MAX - 99;
    shop.settle(&[received(Purpose::Refund, 1, 1, 100)]);
    let outcome = shop.outcome();
    assert_eq!(outcome.answers, [vec![CAPTURED], vec![]]);
    assert_eq!(outcome.balances[&1], i64::MAX - 99);
}
