//! What set-based checks find about refunds.

use contracts::{Message, PaymentRefunded};
use messaging::audit::Finding;
use sqlx::PgConnection;

/// Refunds that nothing in the outbox tells of, though it is kept that long, or nothing that can ever be sent.
pub async fn refunds_without_answer(
    connection: &mut PgConnection,
    limit: i64,
) -> Result<Vec<Finding>, sqlx::Error> {
    sqlx::query_as!(
        Finding,
        r#"select 'order ' || refund.order_id as "subject!",
               'refunded' || case when exists (select from messaging.parked where parked.key = refund.order_id)
                   then ', and what says so is parked: it can never be sent'
                   else ', and nothing in the outbox says so'
               end as "detail!",
               count(*) over () as "total!"
        from payments.ledger_entry as refund
        where refund.kind = 'REFUND'
          and refund.created_at > (
              select to_timestamp(min(right(partition.relname, 8)), 'YYYYMMDD')::timestamp at time zone 'utc'
                     + interval '10 minutes'
              from pg_inherits join pg_class as partition on partition.oid = inhrelid
              where inhparent = 'messaging.outbox'::regclass
          )
          and not exists (
              select from messaging.outbox as answer
              where answer.key = refund.order_id and answer.type = $1
                and not exists (select from messaging.parked where parked.outbox_id = answer.id)
          )
        order by refund.order_id
        limit $2"#,
        PaymentRefunded::TYPE,
        limit,
    )
    .fetch_all(connection)
    .await
}

/// Answers in the outbox that tell of a refund which is not in the ledger.
pub async fn answers_without_refund(
    connection: &mut PgConnection,
    limit: i64,
) -> Result<Vec<Finding>, sqlx::Error> {
    sqlx::query_as!(
        Finding,
        r#"select 'order ' || answer.key as "subject!",
               'event ' || answer.event_id || ' says that it was refunded, and the ledger has no such entry' as "detail!",
               count(*) over () as "total!"
        from messaging.outbox as answer
        where answer.type = $1
          and not exists (
              select from payments.ledger_entry as refund
              where refund.order_id = answer.key and refund.kind = 'REFUND'
          )
        order by answer.key
        limit $2"#,
        PaymentRefunded::TYPE,
        limit,
    )
    .fetch_all(connection)
    .await
}
