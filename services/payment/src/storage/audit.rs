//! What an audit reads of the payment service: every decision with its ledger entries, by order, and what set-based
//! checks find.
//!
//! All functions read in the transaction they are given, so that its one snapshot serves them all; they see all users'
//! rows only as the login `audit`.

mod refunds;

use contracts::{DeclineReason, Message, OrderId, PaymentCaptured, PaymentDeclined, UserId};
use messaging::audit::Finding;
use sqlx::PgConnection;
use uuid::Uuid;

use super::payment::{self, Decision};

pub use refunds::{answers_without_refund, refunds_without_answer};

/// What the tables say under one order id; one of the three is always there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditedPayment {
    /// The order.
    pub order_id: OrderId,
    /// The decision.
    pub decision: Option<DecisionFacts>,
    /// The ledger entries of its payment.
    pub debit: Option<EntryFacts>,
    /// The ledger entries of its refund.
    pub refund: Option<EntryFacts>,
}

/// A decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionFacts {
    /// Who was to pay.
    pub user_id: UserId,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// The currency's code.
    pub currency: String,
    /// Why it was declined; none if it was captured.
    pub declined: Option<DeclineReason>,
}

/// The ledger entries of one order and kind, folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryFacts {
    /// How many there are.
    pub rows: i64,
    /// The lowest change of balance among them, in minor units: negative for a debit, positive for a refund.
    pub amount_minor: i64,
    /// Of whose account; none if the account is not there.
    pub user_id: Option<UserId>,
}

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Accounts.
    pub accounts: i64,
    /// Ledger entries.
    pub entries: i64,
}

/// The order id of the last of `limit` decisions from `first` on; none if there are fewer.
pub async fn page_end(
    connection: &mut PgConnection,
    first: Uuid,
    limit: i64,
) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select order_id as "order_id: Uuid" from payments.payment
        where order_id >= $1
        order by order_id
        offset $2
        limit 1"#,
        first,
        limit - 1,
    )
    .fetch_optional(connection)
    .await
}

/// The decisions of a range of orders, both ends included, sorted by order id. Entries without one are in their place.
pub async fn range(
    connection: &mut PgConnection,
    first: Uuid,
    last: Uuid,
) -> Result<Vec<AuditedPayment>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"with decided as (
            select order_id, user_id, amount_minor, currency, outcome, reason
            from payments.payment
            where order_id between $1 and $2
        ), booked as (
            select order_id,
                   count(*) filter (where kind <> 'REFUND') as debits,
                   min(ledger_entry.amount_minor) filter (where kind <> 'REFUND') as debit_minor,
                   min(account.user_id) filter (where kind <> 'REFUND') as payer,
                   count(*) filter (where kind = 'REFUND') as refunds,
                   min(ledger_entry.amount_minor) filter (where kind = 'REFUND') as refund_minor,
                   min(account.user_id) filter (where kind = 'REFUND') as payee
            from payments.ledger_entry left join payments.account on account.id = ledger_entry.account_id
            where order_id between $1 and $2
            group by order_id
        )
        select coalesce(decided.order_id, booked.order_id) as "order_id!: OrderId",
               user_id as "user_id?: UserId", amount_minor as "amount_minor?", currency as "currency?",
               outcome as "outcome?", reason as "reason?", debits as "debits?", debit_minor as "debit_minor?",
               payer as "payer?: UserId", refunds as "refunds?", refund_minor as "refund_minor?",
               payee as "payee?: UserId"
        from decided full join booked on booked.order_id = decided.order_id
        order by 1"#,
        first,
        last,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let declined = match row.outcome.as_deref() {
                None => None,
                Some(outcome) => match payment::read(outcome, row.reason.as_deref())? {
                    Decision::Captured => None,
                    Decision::Declined(reason) => Some(reason),
                },
            };
            let decision = || {
                Some(DecisionFacts {
                    user_id: row.user_id?,
                    amount_minor: row.amount_minor?,
                    currency: row.currency?,
                    declined,
                })
            };
            let entries = |rows: Option<i64>, amount_minor: Option<i64>, user_id| {
                Some(EntryFacts {
                    rows: rows?,
                    amount_minor: amount_minor?,
                    user_id,
                })
            };
            Ok(AuditedPayment {
                order_id: row.order_id,
                debit: entries(row.debits, row.debit_minor, row.payer),
                refund: entries(row.refunds, row.refund_minor, row.payee),
                decision: decision(),
            })
        })
        .collect()
}

/// How much there is of what only set-based checks read.
pub async fn totals(connection: &mut PgConnection) -> Result<Totals, sqlx::Error> {
    sqlx::query_as!(
        Totals,
        r#"select (select count(*) from payments.account) as "accounts!",
               (select count(*) from payments.ledger_entry) as "entries!""#
    )
    .fetch_one(connection)
    .await
}

/// Decisions that nothing in the outbox tells of, though it is kept that long, or nothing that can ever be sent.
pub async fn decisions_without_answer(
    connection: &mut PgConnection,
    limit: i64,
) -> Result<Vec<Finding>, sqlx::Error> {
    // The start of the oldest partition and some minutes: the instant in the decision is of another clock than the one
    // that chose the partition.
    sqlx::query_as!(
        Finding,
        r#"select 'order ' || decided.order_id as "subject!",
               decided.outcome || case when exists (select from messaging.parked where parked.key = decided.order_id)
                   then ', and what says so is parked: it can never be sent'
                   else ', and nothing in the outbox says so'
               end as "detail!",
               count(*) over () as "total!"
        from payments.payment as decided
        where decided.decided_at > (
              select to_timestamp(min(right(partition.relname, 8)), 'YYYYMMDD')::timestamp at time zone 'utc'
                     + interval '10 minutes'
              from pg_inherits join pg_class as partition on partition.oid = inhrelid
              where inhparent = 'messaging.outbox'::regclass
          )
          and not exists (
              select from messaging.outbox as answer
              where answer.key = decided.order_id
                and answer.type = case decided.outcome when 'CAPTURED' then $1 else $2 end
                and not exists (select from messaging.parked where parked.outbox_id = answer.id)
          )
        order by decided.order_id
        limit $3"#,
        PaymentCaptured::TYPE,
        PaymentDeclined::TYPE,
        limit,
    )
    .fetch_all(connection)
    .await
}

/// Answers in the outbox that say what was not decided.
pub async fn answers_against_decision(
    connection: &mut PgConnection,
    limit: i64,
) -> Result<Vec<Finding>, sqlx::Error> {
    sqlx::query_as!(
        Finding,
        r#"select 'order ' || answer.key as "subject!",
               'event ' || answer.event_id || ' says ' || answer.type || ', the decision is '
                   || coalesce(decided.outcome, 'missing') as "detail!",
               count(*) over () as "total!"
        from messaging.outbox as answer left join payments.payment as decided on decided.order_id = answer.key
        where answer.type in ($1, $2)
          and answer.type is distinct from
              case decided.outcome when 'CAPTURED' then $1 when 'DECLINED' then $2 end
        order by answer.key
        limit $3"#,
        PaymentCaptured::TYPE,
        PaymentDeclined::TYPE,
        limit,
    )
    .fetch_all(connection)
    .await
}

/// Idempotency keys that stand for a top-up or an account that is not there.
pub async fn keys_without_entry(
    connection: &mut PgConnection,
    limit: i64,
) -> Result<Vec<Finding>, sqlx::Error> {
    sqlx::query_as!(
        Finding,
        r#"select 'request ' || accepted.resource_id as "subject!",
               'accepted for user ' || accepted.user_id || ' under an idempotency key, and neither a ledger entry nor an account'
                   as "detail!",
               count(*) over () as "total!"
        from messaging.idempotency_key as accepted
        where not exists (select from payments.ledger_entry where ledger_entry.id = accepted.resource_id)
          and not exists (select from payments.account where account.id = accepted.resource_id)
        order by accepted.resource_id
        limit $1"#,
        limit,
    )
    .fetch_all(connection)
    .await
}

/// Accounts below zero.
pub async fn negative_balances(
    connection: &mut PgConnection,
    limit: i64,
) -> Result<Vec<Finding>, sqlx::Error> {
    sqlx::query_as!(
        Finding,
        r#"select 'account ' || id as "subject!",
               'user ' || user_id || ' has a balance of ' || balance_minor as "detail!",
               count(*) over () as "total!"
        from payments.account
        where balance_minor < 0
        order by id
        limit $1"#,
        limit,
    )
    .fetch_all(connection)
    .await
}

/// Entries that left an account below zero.
pub async fn negative_balances_after(
    connection: &mut PgConnection,
    limit: i64,
) -> Result<Vec<Finding>, sqlx::Error> {
    sqlx::query_as!(
        Finding,
        r#"select 'account ' || account_id as "subject!",
               'entry ' || number || ' left a balance of ' || balance_after_minor as "detail!",
               count(*) over () as "total!"
        from payments.ledger_entry
        where balance_after_minor < 0
        order by account_id, number
        limit $1"#,
        limit,
    )
    .fetch_all(connection)
    .await
}

/// Accounts whose balance is not the sum of their entries.
pub async fn balances_unlike_entries(
    connection: &mut PgConnection,
    limit: i64,
) -> Result<Vec<Finding>, sqlx::Error> {
    sqlx::query_as!(
        Finding,
        r#"select 'account ' || account.id as "subject!",
               'user ' || account.user_id || ' has a balance of ' || account.balance_minor || ', its entries sum up to '
                   || coalesce(booked.sum_minor, 0) as "detail!",
               count(*) over () as "total!"
        from payments.account
        left join (
            select account_id, sum(amount_minor) as sum_minor from payments.ledger_entry group by account_id
        ) as booked on booked.account_id = account.id
        where account.balance_minor <> coalesce(booked.sum_minor, 0)
        order by account.id
        limit $1"#,
        limit,
    )
    .fetch_all(connection)
    .await
}

/// Entries that do not take up where their account's entry before them left off.
pub async fn chain_breaks(
    connection: &mut PgConnection,
    limit: i64,
) -> Result<Vec<Finding>, sqlx::Error> {
    sqlx::query_as!(
        Finding,
        r#"select 'account ' || account_id as "subject!",
               'entry ' || number || ' changes a balance of ' || before_minor || ' by ' || amount_minor || ' and leaves '
                   || balance_after_minor as "detail!",
               count(*) over () as "total!"
        from (
            select account_id, number, amount_minor, balance_after_minor,
                   coalesce(lag(balance_after_minor) over (partition by account_id order by number), 0) as before_minor
            from payments.ledger_entry
        ) as entry
        where balance_after_minor::numeric <> before_minor::numeric + amount_minor
        order by account_id, number
        limit $1"#,
        limit,
    )
    .fetch_all(connection)
    .await
}

/// Entries of accounts that are not there.
pub async fn entries_without_account(
    connection: &mut PgConnection,
    limit: i64,
) -> Result<Vec<Finding>, sqlx::Error> {
    sqlx::query_as!(
        Finding,
        r#"select 'account ' || entry.account_id as "subject!",
               'not there, and entry ' || entry.number || ' is of it' as "detail!",
               count(*) over () as "total!"
        from payments.ledger_entry as entry
        where not exists (select from payments.account where account.id = entry.account_id)
        order by entry.account_id, entry.number
        limit $1"#,
        limit,
    )
    .fetch_all(connection)
    .await
}
