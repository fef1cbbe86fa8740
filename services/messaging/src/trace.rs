//! Following one order through a service's outbox and inbox: hop by hop, with instants and owners.
//!
//! Neither table has an index on what an event is about: writing one would cost every event, and this question is asked
//! at 3 a.m. What a service knows of an order leads to the transaction that wrote it, and a transaction's events are
//! found by the index on `xid`.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// The most events of one order that are followed.
pub const EVENTS_MAX: i64 = 100;

/// Something that happened to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// When; none for what has no instant, such as an event that still waits.
    pub at: Option<OffsetDateTime>,
    /// What, as a dotted name: `outbox.appended`.
    pub step: &'static str,
    /// Who did it or is to do it: a relay, a queue.
    pub owner: Option<String>,
    /// The event it was about.
    pub event_id: Option<Uuid>,
    /// More of it, in words.
    pub detail: String,
}

/// The hops of a service's events about one key: each appended, and published or waiting. `transactions` are those that
/// may have appended them, as texts of `xid8`.
pub async fn sent(
    connection: &mut PgConnection,
    key: Uuid,
    transactions: &[String],
) -> Result<Vec<Hop>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select outbox.id, outbox.lane, event_id, type as kind, appended_at, owner,
                  pg_visible_in_snapshot(outbox.xid, lane.settled) as "settled!"
           from messaging.outbox join messaging.lane on lane.lane = outbox.lane
           where outbox.xid = any($1::text[]::xid8[]) and key = $2
           order by outbox.id
           limit $3"#,
        transactions,
        key,
        EVENTS_MAX,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .flat_map(|row| {
            let appended = Hop {
                at: Some(row.appended_at),
                step: "outbox.appended",
                owner: None,
                event_id: Some(row.event_id),
                detail: format!("{} as row {} of lane {}", row.kind, row.id, row.lane),
            };
            let (step, detail) = if row.settled {
                (
                    "outbox.published",
                    "confirmed by the broker, and written back",
                )
            } else {
                ("outbox.waiting", "not yet written back as published")
            };
            let published = Hop {
                at: None,
                step,
                owner: row.owner,
                event_id: Some(row.event_id),
                detail: detail.to_owned(),
            };
            [appended, published]
        })
        .collect())
}

/// An event that was taken from a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What it looks like in a trace.
    pub hop: Hop,
    /// The transaction that settled it, as a text of `xid8`: whatever the service answered, it appended there.
    pub transaction: Option<String>,
}

/// The receipts of these events at a queue's consumer: settled, put off, or dead.
pub async fn received(
    connection: &mut PgConnection,
    queue: &'static str,
    events: &[Uuid],
) -> Result<Vec<Receipt>, sqlx::Error> {
    // A row's xmin has 32 bits. The transaction is the newest one with these bits: rows do not live for 2^32 others.
    let rows = sqlx::query!(
        r#"with present as (
            select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as xmax
        )
        select message_id as "event_id!", received_at as "at!", 'inbox.received' as "step!",
               'settled, or put off, in one transaction' as "detail!",
               (select xmax - ((xmax - inbox.xmin::text::bigint) & 4294967295) from present)::text as transaction
        from messaging.inbox
        where consumer = $1 and message_id = any($2)
        union all
        select message_id, first_seen_at, 'inbox.deferred',
               reason_class || ': ' || reason || ' (tried ' || attempts || ' times)', null
        from messaging.deferred
        where consumer = $1 and message_id = any($2)
        union all
        select message_id, first_seen_at, 'dead_letter',
               'dead letter ' || id || ', ' || reason_class || ': ' || reason, null
        from messaging.dead_letter
        where consumer = $1 and message_id = any($2)
        order by 2
        limit $3"#,
        queue,
        events,
        EVENTS_MAX,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Receipt {
            hop: Hop {
                at: Some(row.at),
                step: match row.step.as_str() {
                    "inbox.received" => "inbox.received",
                    "inbox.deferred" => "inbox.deferred",
                    _ => "dead_letter",
                },
                owner: Some(queue.to_owned()),
                event_id: Some(row.event_id),
                detail: row.detail,
            },
            transaction: row.transaction,
        })
        .collect())
}
