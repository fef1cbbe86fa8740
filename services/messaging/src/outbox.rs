//! The transactional outbox: events are appended in the transaction that causes them, and read by relays.
//!
//! Readers take the difference of two snapshots, as `PgQ` (Skype, 2007) does: a row is new if its transaction was not
//! visible in the previous snapshot. Late commits arrive as soon as they are visible, nothing is seen twice, and no row
//! is locked or updated. Order within a key holds because every writer locks the aggregate before it appends.

use contracts::{CloudEvent, EventId, Message, TraceContext};
use sqlx::{PgConnection, PgTransaction};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{lane::Lane, snapshot::Snapshot};

/// The largest event, in bytes of its JSON: a batch must stay below the broker's frame of 128 KiB.
pub const MAX_EVENT_BYTES: usize = 64 * 1024;

/// How appending can fail.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// The event has no JSON form.
    #[error("the event could not be serialised")]
    Serialize(#[source] serde_json::Error),
    /// The event would not fit into a message.
    #[error("the event has {bytes} bytes, more than {MAX_EVENT_BYTES}")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The database refused.
    #[error("the event could not be appended")]
    Database(#[from] sqlx::Error),
}

/// Appends an event to the outbox in the caller's transaction. The caller has locked what the event is about before.
pub async fn append<M: Message>(
    tx: &mut PgTransaction<'_>,
    message: &M,
    trace: &TraceContext,
) -> Result<EventId, OutboxError> {
    let mut rows = Rows::default();
    let event_id = rows.push(message, trace)?;
    rows.insert(tx).await?;
    Ok(event_id)
}

/// Appends several events in their order, in one statement.
pub async fn append_all<M: Message>(
    tx: &mut PgTransaction<'_>,
    messages: &[(M, TraceContext)],
) -> Result<(), OutboxError> {
    if messages.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::default();
    for (message, trace) in messages {
        rows.push(message, trace)?;
    }
    rows.insert(tx).await
}

/// The columns of a set of rows, to be inserted by one `unnest`.
#[derive(Default)]
struct Rows {
    lanes: Vec<i16>,
    keys: Vec<Uuid>,
    event_ids: Vec<Uuid>,
    types: Vec<String>,
    traceparents: Vec<String>,
    bodies: Vec<Vec<u8>>,
}

impl Rows {
    fn push<M: Message>(
        &mut self,
        message: &M,
        trace: &TraceContext,
    ) -> Result<EventId, OutboxError> {
        let event = CloudEvent::new(message, trace, OffsetDateTime::now_utc());
        let body = serde_json::to_vec(&event).map_err(OutboxError::Serialize)?;
        if body.len() > MAX_EVENT_BYTES {
            return Err(OutboxError::TooLarge { bytes: body.len() });
        }
        self.lanes.push(Lane::of(message.key()).number());
        self.keys.push(message.key());
        self.event_ids.push(event.id.as_uuid());
        self.types.push(M::TYPE.to_owned());
        self.traceparents.push(trace.to_string());
        self.bodies.push(body);
        Ok(event.id)
    }

    async fn insert(&self, tx: &mut PgTransaction<'_>) -> Result<(), OutboxError> {
        sqlx::query!(
            "insert into messaging.outbox (lane, key, event_id, type, traceparent, body)
             select lane, key, event_id, type, traceparent, body
             from unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bytea[])
                 with ordinality as event (lane, key, event_id, type, traceparent, body, position)
             order by position",
            &self.lanes,
            &self.keys,
            &self.event_ids,
            &self.types,
            &self.traceparents,
            &self.bodies,
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

/// An appended event, as a relay reads it.
#[derive(Debug, Clone)]
pub struct OutboxRow {
    /// Grows along the commits of one key.
    pub id: i64,
    /// The lane of `key`.
    pub lane: Lane,
    /// What the event is about.
    pub key: Uuid,
    /// The event's identity.
    pub event_id: Uuid,
    /// Its type, which is also the routing key.
    pub kind: String,
    /// The event in JSON.
    pub body: Vec<u8>,
}

/// What became visible since a snapshot.
#[derive(Debug)]
pub struct Difference {
    /// The rows, oldest id first; as many as the limit if there may be more.
    pub rows: Vec<OutboxRow>,
    /// The snapshot of the very statement that read them.
    pub snapshot: Snapshot,
}

/// Reads the first page of what `since` does not see: up to `limit` rows of these lanes, and the snapshot they were read
/// under, which sees exactly what was there to be read. With `until` it is that earlier snapshot instead of the present.
pub async fn read_since(
    connection: &mut PgConnection,
    lanes: &[i16],
    since: &Snapshot,
    until: Option<&Snapshot>,
    limit: i64,
) -> Result<Difference, sqlx::Error> {
    // The ids come by the index on xid, without an order; only those of the page are sorted and fetched whole.
    let rows = sqlx::query!(
        r#"with present as materialized (
            select coalesce($5::text::pg_snapshot, pg_current_snapshot()) as snapshot
        ),
        fresh as materialized (
            select id, appended_at
            from messaging.outbox, present
            where lane = any($1) and (xid >= $2::text::xid8 or xid = any($3::text[]::xid8[]))
              and pg_visible_in_snapshot(xid, present.snapshot)
        ),
        page as materialized (
            select id, appended_at from fresh order by id limit $4
        ),
        whole as (
            select id, lane, key, event_id, type, body
            from page join messaging.outbox using (id, appended_at)
        )
        select present.snapshot::text as "snapshot!", whole.id as "id?", whole.lane as "lane?", whole.key as "key?",
               whole.event_id as "event_id?", whole.type as "kind?", whole.body as "body?"
        from present left join whole on true
        order by whole.id"#,
        lanes,
        since.xmax_text(),
        &since.in_progress_texts(),
        limit,
        until.map(ToString::to_string),
    )
    .fetch_all(connection)
    .await?;
    let snapshot = rows
        .first()
        .map(|row| parse_snapshot(&row.snapshot))
        .transpose()?;
    let rows = rows.into_iter().filter_map(|row| {
        Some(OutboxRow {
            id: row.id?,
            lane: row.lane?.into(),
            key: row.key?,
            event_id: row.event_id?,
            kind: row.kind?,
            body: row.body?,
        })
    });
    Ok(Difference {
        rows: rows.collect(),
        snapshot: snapshot.ok_or(sqlx::Error::RowNotFound)?,
    })
}

/// Reads a later page of a difference, up to the snapshot its first page was read under: the rows after `after_id` that `until` sees and `since` does not.
pub async fn read_page(
    connection: &mut PgConnection,
    lanes: &[i16],
    since: &Snapshot,
    until: &Snapshot,
    after_id: i64,
    limit: i64,
) -> Result<Vec<OutboxRow>, sqlx::Error> {
    sqlx::query_as!(
        OutboxRow,
        r#"select id, lane as "lane: Lane", key, event_id, type as kind, body
        from messaging.outbox
        where lane = any($1) and id > $2
          and (xid >= $3::text::xid8 or xid = any($4::text[]::xid8[]))
          and pg_visible_in_snapshot(xid, $5::text::pg_snapshot)
        order by id
        limit $6"#,
        lanes,
        after_id,
        since.xmax_text(),
        &since.in_progress_texts(),
        until.to_string(),
        limit,
    )
    .fetch_all(connection)
    .await
}

/// Makes the partitions of the days ahead; says how many were missing.
pub async fn maintain_partitions(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar!(r#"select messaging.maintain_partitions() as "made!""#)
        .fetch_one(connection)
        .await
}

/// A snapshot as a column.
pub(crate) fn parse_snapshot(text: &str) -> Result<Snapshot, sqlx::Error> {
    text.parse()
        .map_err(|error| sqlx::Error::Decode(Box::new(error)))
}
