//! Writing what a batch comes to: decisions, ledger, balances and answers, in one statement.

use contracts::{AccountId, EntryId};
use messaging::{failure::Failure, outbox};
use sqlx::PgTransaction;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{ledger::NewEntry, payment::Payment};

/// What is to be written.
#[derive(Debug, Default)]
pub(crate) struct Settled<'p> {
    /// Decisions on orders that had none.
    pub(crate) decided: &'p [Payment],
    /// The entries of paid and refunded orders, in the order in which they were decided.
    pub(crate) entries: &'p [NewEntry],
    /// By how much each account changes in all.
    pub(crate) totals: &'p [(AccountId, i64)],
    /// The answers.
    pub(crate) events: outbox::Batch,
}

/// Writes it all: decisions in the order of their keys, so that two batches never wait for each other in a circle; each
/// account is changed where that leaves nothing below zero. Says how many accounts that were: the caller, who has decided
/// on locked balances, expects all of them. If another transaction has decided one of these orders meanwhile, or entered
/// its refund, that is a passing failure: the next attempt finds it.
///
/// It writes messaging's outbox as well: a statement of its own costs a lone payment more time than its rows.
pub(crate) async fn write(
    tx: &mut PgTransaction<'_>,
    settled: Settled<'_>,
) -> Result<i64, Failure> {
    let Settled {
        decided,
        entries,
        totals,
        mut events,
    } = settled;
    let (changed, sums): (Vec<Uuid>, Vec<i64>) = totals
        .iter()
        .map(|(id, amount_minor)| (id.as_uuid(), *amount_minor))
        .unzip();
    let payments = Payments::of(decided);
    let ledger = Entries::of(entries);
    let outbox = events.columns();
    let written = sqlx::query_scalar!(
        r#"with decided as (
             insert into payments.payment
                 (order_id, user_id, amount_minor, currency, outcome, reason, received_at, decided_at)
             select order_id, user_id, amount_minor, currency, outcome, reason, received_at, decided_at
             from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[],
                         $7::timestamptz[], $8::timestamptz[])
                 as decided (order_id, user_id, amount_minor, currency, outcome, reason, received_at, decided_at)
             order by order_id
         ), changed as (
             update payments.account as account
             set balance_minor = account.balance_minor + total.amount_minor
             from unnest($9::uuid[], $10::bigint[]) as total (account_id, amount_minor)
             where account.id = total.account_id and account.balance_minor + total.amount_minor >= 0
             returning account.id
         ), entered as (
             insert into payments.ledger_entry
                 (id, account_id, order_id, kind, amount_minor, balance_after_minor, created_at)
             select id, account_id, order_id, kind, amount_minor, balance_after_minor, created_at
             from unnest($11::uuid[], $12::uuid[], $13::uuid[], $14::text[], $15::bigint[], $16::bigint[],
                         $17::timestamptz[])
                 with ordinality as entry
                 (id, account_id, order_id, kind, amount_minor, balance_after_minor, created_at, position)
             order by position
         ), answered as (
             insert into messaging.outbox (lane, key, event_id, type, traceparent, body)
             select lane, key, event_id, type, traceparent, body
             from unnest($18::smallint[], $19::uuid[], $20::uuid[], $21::text[], $22::text[], $23::bytea[])
                 with ordinality as event (lane, key, event_id, type, traceparent, body, position)
             order by position
         )
         select count(*) as "changed!" from changed"#,
        &payments.order_ids,
        &payments.user_ids,
        &payments.amounts_minor,
        &payments.currencies as &[&str],
        &payments.outcomes as &[&str],
        &payments.reasons as &[Option<&str>],
        &payments.received_at,
        &payments.decided_at,
        &changed,
        &sums,
        &ledger.ids,
        &ledger.account_ids,
        &ledger.order_ids,
        &ledger.kinds as &[&str],
        &ledger.amounts_minor,
        &ledger.balances_after_minor,
        &ledger.created_at,
        outbox.lanes,
        outbox.keys,
        outbox.event_ids,
        outbox.types,
        outbox.traceparents,
        outbox.bodies,
    )
    .fetch_one(&mut **tx)
    .await;
    events.appended(&written);
    written.map_err(|error| match &error {
        sqlx::Error::Database(refusal)
            if matches!(
                refusal.constraint(),
                Some("payment_pkey" | "ledger_entry_order_id_kind_key")
            ) =>
        {
            Failure::Transient(Box::new(error))
        }
        _ => error.into(),
    })
}

/// Decisions, as `unnest` takes them.
#[derive(Debug, Default)]
struct Payments {
    order_ids: Vec<Uuid>,
    user_ids: Vec<i64>,
    amounts_minor: Vec<i64>,
    currencies: Vec<&'static str>,
    outcomes: Vec<&'static str>,
    reasons: Vec<Option<&'static str>>,
    received_at: Vec<OffsetDateTime>,
    decided_at: Vec<OffsetDateTime>,
}

impl Payments {
    fn of(decided: &[Payment]) -> Self {
        let mut columns = Self::default();
        for payment in decided {
            columns.order_ids.push(payment.order_id.as_uuid());
            columns.user_ids.push(payment.user_id.as_i64());
            columns.amounts_minor.push(payment.amount.amount_minor);
            columns.currencies.push(payment.amount.currency.code());
            columns.outcomes.push(payment.decision.outcome());
            columns.reasons.push(payment.decision.reason());
            columns.received_at.push(payment.received_at);
            columns.decided_at.push(payment.decided_at);
        }
        columns
    }
}

/// Entries of the ledger, as `unnest` takes them.
#[derive(Debug, Default)]
struct Entries {
    ids: Vec<Uuid>,
    account_ids: Vec<Uuid>,
    order_ids: Vec<Uuid>,
    kinds: Vec<&'static str>,
    amounts_minor: Vec<i64>,
    balances_after_minor: Vec<i64>,
    created_at: Vec<OffsetDateTime>,
}

impl Entries {
    fn of(entries: &[NewEntry]) -> Self {
        let mut columns = Self::default();
        for entry in entries {
            columns.ids.push(EntryId::new().as_uuid());
            columns.account_ids.push(entry.account_id.as_uuid());
            columns.order_ids.push(entry.order_id.as_uuid());
            columns.kinds.push(entry.kind.as_str());
            columns.amounts_minor.push(entry.amount_minor());
            columns
                .balances_after_minor
                .push(entry.balance_after.amount_minor);
            columns.created_at.push(entry.created_at);
        }
        columns
    }
}
