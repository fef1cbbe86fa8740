//! Reading the outbox: what became visible since a snapshot, page by page.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::{lane::Lane, snapshot::Snapshot};

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
    if until.is_none()
        && let Some(whole) = read_whole(connection, lanes, since, limit).await?
    {
        return Ok(whole);
    }
    read_first(connection, lanes, since, until, limit).await
}

/// Reads a difference that has fewer than `limit` rows, which is what a relay in step with its outbox meets; none if it
/// has more.
async fn read_whole(
    connection: &mut PgConnection,
    lanes: &[i16],
    since: &Snapshot,
    limit: i64,
) -> Result<Option<Difference>, sqlx::Error> {
    // Materialised without an order, so that the index on xid serves it; below the present, because after a logical
    // restore old rows carry numbers that this cluster has yet to give.
    let rows = sqlx::query!(
        r#"with fresh as materialized (
            select id, lane, key, event_id, type, body
            from messaging.outbox
            where lane = any($1)
              and ((xid >= $2::text::xid8 and xid < pg_snapshot_xmax(pg_current_snapshot()))
                   or xid = any($3::text[]::xid8[]))
            limit $4
        )
        select pg_current_snapshot()::text as "snapshot!", fresh.id as "id?", fresh.lane as "lane?",
               fresh.key as "key?", fresh.event_id as "event_id?", fresh.type as "kind?", fresh.body as "body?"
        from (select 1) as present left join fresh on true
        order by fresh.id"#,
        lanes,
        since.xmax_text(),
        &since.in_progress_texts(),
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
            })
        })
        .collect();
    let whole = i64::try_from(rows.len()).is_ok_and(|count| count < limit);
    Ok(whole.then_some(Difference { rows, snapshot }))
}

/// Reads the first page of a difference of any size.
async fn read_first(
    connection: &mut PgConnection,
    lanes: &[i16],
    since: &Snapshot,
    until: Option<&Snapshot>,
    limit: i64,
) -> Result<Difference, sqlx::Error> {
    // The ids come by the index on xid, without an order; only those of the page are sorted, and fetched whole one by
    // one: no plan for that can be a bad one.
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
            select event.id, event.lane, event.key, event.event_id, event.type, event.body
            from page
            cross join lateral (
                select id, lane, key, event_id, type, body
                from messaging.outbox
                where outbox.id = page.id and outbox.appended_at = page.appended_at
                offset 0
            ) as event
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
