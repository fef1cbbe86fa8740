//! Reading the outbox: what became visible since a position, in pages whose cost does not depend on what lies before.
//!
//! A small difference, which is the rule, comes by the index on `xid`, whole. A large one is paged by `id` up to the
//! snapshot it was first seen under: pages must follow the ids, because the order within a key does, and each looks at a
//! bounded span of them, so that no statement is longer for a longer backlog.
//!
//! Where to begin by id, a position knows: a row's transaction has its number before it draws the id. So if every
//! transaction that a snapshot does not see got its number after a moment, all their ids are larger than the largest id
//! of that moment (the sequence hands out ids in order: its cache is 1). See [`Mark`].

use sqlx::PgConnection;
use uuid::Uuid;

use crate::{lane::Lane, snapshot::Snapshot};

/// The most ids that one page looks at, whatever it finds.
const SPAN_IDS: i64 = 50_000;

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
    /// The trace context of its creation, if that trace is recorded.
    pub creation: Option<String>,
}

/// How far the outbox is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// What it sees has been read.
    pub snapshot: Snapshot,
    /// Every row up to this id is seen by `snapshot`.
    pub id: i64,
}

impl Position {
    /// Before everything that is retained.
    #[must_use]
    pub const fn beginning() -> Self {
        Self {
            snapshot: Snapshot::beginning(),
            id: 0,
        }
    }

    /// The same id under a later snapshot; a later id if the mark allows it.
    #[must_use]
    pub fn moved_to(&self, snapshot: Snapshot, mark: Option<&Mark>) -> Self {
        let id = match mark {
            Some(mark) if snapshot.xmin() >= mark.next_xid => self.id.max(mark.largest_id),
            _ => self.id,
        };
        Self { snapshot, id }
    }
}

/// A moment: the next transaction number, and the largest id. A transaction numbered later draws larger ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The first number not given yet.
    pub next_xid: u64,
    /// The largest id visible then.
    pub largest_id: i64,
}

/// Ids in which there may be more of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// All up to this one is read.
    pub after: i64,
    /// Nothing of the difference lies beyond this one.
    pub last: i64,
}

/// What became visible since a position: the first page of it.
#[derive(Debug)]
pub struct Difference {
    /// The rows, oldest id first; none yet if there are more than the limit.
    pub rows: Vec<OutboxRow>,
    /// The snapshot of the very statement that found them.
    pub snapshot: Snapshot,
    /// Where to page through, if there are more rows than the limit.
    pub more: Option<Span>,
}

/// Reads what the position does not see, if it is fewer than `limit` rows of these lanes, and the snapshot they were read
/// under, which sees exactly what was there to be read. More than that, or up to the earlier snapshot `until`, is left to
/// [`read_page`].
pub async fn read_since(
    connection: &mut PgConnection,
    lanes: &[i16],
    since: &Position,
    until: Option<&Snapshot>,
    limit: i64,
) -> Result<Difference, sqlx::Error> {
    if until.is_none()
        && let Some(whole) = read_whole(connection, lanes, since, limit).await?
    {
        return Ok(whole);
    }
    let present = sqlx::query!(
        r#"select pg_current_snapshot()::text as "snapshot!", min(id) as first_id, max(id) as last_id
           from messaging.outbox"#
    )
    .fetch_one(connection)
    .await?;
    let ids = present.first_id.zip(present.last_id);
    let more = ids.map(|(first, last)| Span {
        after: since.id.max(first - 1),
        last,
    });
    Ok(Difference {
        rows: Vec::new(),
        snapshot: match until {
            Some(until) => until.clone(),
            None => parse_snapshot(&present.snapshot)?,
        },
        more: more.filter(|span| span.after < span.last),
    })
}

/// Reads a difference that has fewer than `limit` rows, which is what a relay in step with its outbox meets; none if it
/// has more.
async fn read_whole(
    connection: &mut PgConnection,
    lanes: &[i16],
    since: &Position,
    limit: i64,
) -> Result<Option<Difference>, sqlx::Error> {
    // Materialised without an order, so that the index on xid serves it; below the present, because after a logical
    // restore old rows carry numbers that this cluster has yet to give. No clock has a say in what is read: a row of a day
    // that has not come would be passed over for good.
    let rows = sqlx::query!(
        r#"with present as materialized (
            select pg_current_snapshot()::text as snapshot
        ), fresh as materialized (
            select id, lane, key, event_id, type, body,
                   case when right(traceparent, 1) <> '0' then traceparent end as creation
            from messaging.outbox
            where (1::bigint << lane) & $1 <> 0
              and ((xid >= $2::text::xid8 and xid < pg_snapshot_xmax(pg_current_snapshot()))
                   or xid = any($3::text[]::xid8[]))
            limit $4
        )
        select present.snapshot as "snapshot!", fresh.id as "id?", fresh.lane as "lane?",
               fresh.key as "key?", fresh.event_id as "event_id?", fresh.type as "kind?", fresh.body as "body?",
               fresh.creation
        from present left join fresh on true
        order by fresh.id"#,
        mask(lanes),
        since.snapshot.xmax_text(),
        &since.snapshot.in_progress_texts(),
        limit,
    )
    .fetch_all(connection)
    .await?;
    let snapshot = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    let snapshot = parse_snapshot(&snapshot.snapshot)?;
    let rows: Vec<OutboxRow> = rows
        .into_iter()
        .filter_map(|row| {
            Some(OutboxRow {
                id: row.id?,
                lane: row.lane?.into(),
                key: row.key?,
                event_id: row.event_id?,
                kind: row.kind?,
                body: row.body?,
                creation: row.creation,
            })
        })
        .collect();
    let whole = i64::try_from(rows.len()).is_ok_and(|count| count < limit);
    Ok(whole.then_some(Difference {
        rows,
        snapshot,
        more: None,
    }))
}

/// Reads a page of a large difference: rows of the span that `until` sees and `since` does not, oldest id first, and
/// what of the span is left. A page may be empty with more to come.
pub async fn read_page(
    connection: &mut PgConnection,
    lanes: &[i16],
    since: &Position,
    until: &Snapshot,
    span: Span,
    limit: i64,
) -> Result<(Vec<OutboxRow>, Option<Span>), sqlx::Error> {
    let end = span.last.min(span.after.saturating_add(SPAN_IDS));
    let rows = sqlx::query_as!(
        OutboxRow,
        r#"select id, lane as "lane: Lane", key, event_id, type as kind, body,
                  case when right(traceparent, 1) <> '0' then traceparent end as creation
        from messaging.outbox
        where (1::bigint << lane) & $1 <> 0 and id > $2 and id <= $7
          and (xid >= $3::text::xid8 or xid = any($4::text[]::xid8[]))
          and pg_visible_in_snapshot(xid, $5::text::pg_snapshot)
        order by id
        limit $6"#,
        mask(lanes),
        span.after,
        since.snapshot.xmax_text(),
        &since.snapshot.in_progress_texts(),
        until.to_string(),
        limit,
        end,
    )
    .fetch_all(connection)
    .await?;
    let full = i64::try_from(rows.len()).is_ok_and(|rows| rows >= limit);
    let after = rows.last().filter(|_| full).map_or(end, |row| row.id);
    let left = (after < span.last).then_some(Span { after, ..span });
    Ok((rows, left))
}

/// A bit for each lane: one operation tells whether a row is of them, however many there are.
fn mask(lanes: &[i16]) -> i64 {
    lanes.iter().fold(0, |mask, lane| mask | (1 << lane))
}

/// Marks the present moment.
pub async fn mark(connection: &mut PgConnection) -> Result<Mark, sqlx::Error> {
    let row = sqlx::query!(
        r#"select pg_current_snapshot()::text as "snapshot!", max(id) as largest_id from messaging.outbox"#
    )
    .fetch_one(connection)
    .await?;
    Ok(Mark {
        next_xid: parse_snapshot(&row.snapshot)?.xmax(),
        largest_id: row.largest_id.unwrap_or_default(),
    })
}

/// Gives rows of another cluster (a logical restore) numbers of this one, or no snapshot of this cluster would ever see
/// those that lie ahead of its counter. To be done before any position is reset; says how many there were.
pub async fn adopt(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    let mut adopted = 0;
    let mut after = Some(0);
    while let Some(start) = after {
        let row = sqlx::query!(
            r#"select adopted as "adopted!", next_id from messaging.adopt_restored($1, $2)"#,
            start,
            SPAN_IDS,
        )
        .fetch_one(&mut *connection)
        .await?;
        adopted += row.adopted;
        after = row.next_id;
    }
    Ok(adopted)
}

/// Makes the partitions of the days ahead and drops those no longer needed; says how many were missing.
pub async fn maintain_partitions(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar!(r#"select messaging.maintain_partitions() as "made!""#)
        .fetch_one(connection)
        .await
}

/// For how many days to come there are partitions.
pub async fn partitions_ahead(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar!(r#"select messaging.partitions_ahead() as "ahead!""#)
        .fetch_one(connection)
        .await
}

/// Deletes up to so many idempotency keys older than 24 hours; says how many.
pub async fn forget_idempotency_keys(
    connection: &mut PgConnection,
    at_most: i32,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select messaging.forget_idempotency_keys($1) as "forgotten!""#,
        at_most
    )
    .fetch_one(connection)
    .await
}

/// Deletes up to so many duplicates that are older than the inbox; says how many.
pub async fn forget_duplicates(
    connection: &mut PgConnection,
    at_most: i32,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select messaging.forget_duplicates($1) as "forgotten!""#,
        at_most
    )
    .fetch_one(connection)
    .await
}

/// Deletes up to so many ends of redrives' marks that are a month old, and keeps how many ended how; says how many.
pub async fn forget_redrive_ends(
    connection: &mut PgConnection,
    at_most: i32,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select messaging.forget_redrive_ends($1) as "forgotten!""#,
        at_most
    )
    .fetch_one(connection)
    .await
}

/// A snapshot as a column.
pub(crate) fn parse_snapshot(text: &str) -> Result<Snapshot, sqlx::Error> {
    text.parse()
        .map_err(|error| sqlx::Error::Decode(Box::new(error)))
}
