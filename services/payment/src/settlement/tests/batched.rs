//! The real tables, filled by the real statements: any batching gives what one by one gives.

use std::collections::{BTreeMap, HashMap};

use contracts::{AccountId, DeclineReason, EntryId};
use proptest::test_runner::{Config, TestRunner};
use uuid::Uuid;

use super::*;
use crate::{
    settlement::model::{Outcome as Seen, RICH, Step, Told, WEALTH, a_run, in_batches, one_by_one},
    storage::account,
};

/// How many runs are tried; each has up to so many steps.
const RUNS: u32 = 32;
const STEPS: usize = 60;

/// One run on the tables: its users and orders are its own, so that many runs share a database.
struct Run<'s> {
    shop: &'s Shop,
    number: i64,
    outcome: Seen,
}

impl Run<'_> {
    /// The user's id in the tables.
    fn user(&self, user: i64) -> i64 {
        self.number * 100 + user
    }

    fn order(&self, order: u64) -> OrderId {
        OrderId::from(Uuid::from_u64_pair(self.number.unsigned_abs(), order))
    }

    /// Opens the rich user's account, as full as no top-up of one step could make it.
    async fn begin(&self) {
        sqlx::query(
            "with opened as (
                 insert into payments.account (id, user_id, balance_minor, currency) values ($1, $2, $3, 'RUB')
             )
             insert into payments.ledger_entry (id, account_id, kind, amount_minor, balance_after_minor)
             values ($4, $1, 'TOP_UP', $3, $3)",
        )
        .bind(AccountId::new())
        .bind(self.user(RICH))
        .bind(WEALTH)
        .bind(EntryId::new())
        .execute(&self.shop.admin)
        .await
        .unwrap();
    }

    async fn top_up(&self, step_user: i64, amount_minor: i64) {
        let user_id = user(self.user(step_user));
        let amount = Amount::try_from(Money::rub(amount_minor)).unwrap();
        let mut tx = self.shop.settings.writer_pool.begin().await.unwrap();
        account::open(&mut tx, AccountId::new(), user_id)
            .await
            .unwrap();
        ledger::top_up(&mut tx, EntryId::new(), user_id, amount)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// Settles a batch and reads the answers to each request by the trace it was asked in.
    async fn settle(&mut self, batch: &[Received<PaymentRequest>]) {
        let rejected = settle_once(self.shop, batch).await.unwrap();
        let traces: Vec<_> = batch
            .iter()
            .map(|request| request.trace.to_string())
            .collect();
        let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(
            "select traceparent, body from messaging.outbox where traceparent = any($1) order by id",
        )
        .bind(&traces)
        .fetch_all(&self.shop.admin)
        .await
        .unwrap();
        let mut answers: HashMap<_, Vec<_>> = HashMap::new();
        for (trace, body) in rows {
            answers.entry(trace).or_default().push(told(&body));
        }
        for (index, trace) in traces.iter().enumerate() {
            let answers = answers.remove(trace).unwrap_or_default();
            let refused = rejected.iter().any(|rejected| rejected.index == index);
            assert_eq!(
                refused,
                answers.is_empty(),
                "refused or answered, never both"
            );
            self.outcome.answers.push(answers);
        }
    }

    /// What the tables hold of this run.
    async fn outcome(mut self) -> Seen {
        let (first, last) = (self.user(0), self.user(99));
        let balances: Vec<(i64, i64)> = sqlx::query_as(
            "select user_id, balance_minor from payments.account where user_id between $1 and $2",
        )
        .bind(first)
        .bind(last)
        .fetch_all(&self.shop.admin)
        .await
        .unwrap();
        let entries: Vec<(i64, Uuid, i64, i64)> = sqlx::query_as(
            "select user_id, order_id, amount_minor, balance_after_minor
             from payments.ledger_entry join payments.account on account.id = account_id
             where user_id between $1 and $2 and order_id is not null
             order by number",
        )
        .bind(first)
        .bind(last)
        .fetch_all(&self.shop.admin)
        .await
        .unwrap();
        self.outcome.balances = balances
            .into_iter()
            .map(|(user, balance)| (user - first, balance))
            .collect::<BTreeMap<_, _>>();
        for (user, order, amount, after) in entries {
            let of_user = self.outcome.ledger.entry(user - first).or_default();
            of_user.push((order.as_u64_pair().1, amount, after));
        }
        self.outcome
    }
}

/// What an answer in the outbox tells.
fn told(body: &[u8]) -> Told {
    let event: Value = serde_json::from_slice(body).unwrap();
    match event["type"].as_str() {
        Some("payment.captured.v1") => Told::Decided(Decision::Captured),
        Some("payment.refunded.v1") => Told::Refunded,
        Some("payment.declined.v1") => {
            let reason = event["data"]["reason"]
                .as_str()
                .and_then(DeclineReason::parse);
            Told::Decided(Decision::Declined(reason.unwrap()))
        }
        other => panic!("an answer of type {other:?}"),
    }
}

async fn settled(shop: &Shop, number: i64, steps: &[Step], sizes: &[usize]) -> Seen {
    let mut run = Run {
        shop,
        number,
        outcome: Seen::default(),
    };
    run.begin().await;
    for batch in in_batches(steps, sizes) {
        let mut requests = Vec::new();
        for step in batch {
            match step {
                Step::TopUp { user, amount_minor } => run.top_up(user, amount_minor).await,
                Step::Ask {
                    purpose,
                    order,
                    user,
                    amount_minor,
                } => {
                    let mut request = ask(run.order(order), run.user(user), amount_minor);
                    request.message.purpose = purpose;
                    requests.push(request);
                }
            }
        }
        if !requests.is_empty() {
            run.settle(&requests).await;
        }
    }
    run.outcome().await
}

#[test]
fn on_real_tables_any_batching_gives_what_one_by_one_gives() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let shop = runtime.block_on(Shop::open());
    let number = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(Config {
        cases: RUNS,
        failure_persistence: None,
        // Each attempt at a smaller example costs a run.
        max_shrink_iters: 200,
        ..Config::default()
    });
    let outcome = runner.run(&a_run(STEPS), |(steps, sizes)| {
        number.set(number.get() + 1);
        let batched = runtime.block_on(settled(&shop, number.get(), &steps, &sizes));
        proptest::prop_assert_eq!(batched, one_by_one(&steps));
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    runtime.block_on(shop.check_books());
}
