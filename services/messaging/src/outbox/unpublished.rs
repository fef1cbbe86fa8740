//! How far the outbox is behind: the oldest event that no relay has settled yet, and whether anything settles.

use sqlx::PgConnection;
use time::OffsetDateTime;

/// The outbox at an instant, read by one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unpublished {
    /// When the oldest event that is not settled was appended; none when all are. Relays write back what they settled
    /// at most twice a second, so under load this is never none.
    pub oldest: Option<OffsetDateTime>,
    /// The database's clock when it was read.
    pub now: OffsetDateTime,
    /// The sum of the lanes' settled places: it grows whenever a lane settles anything.
    pub settled: i64,
}

/// Reads it. It costs one look into the index on `xid` for each place that lanes are settled up to, which is one per
/// relay, however many events wait; a writer may ask, for it sees places and instants and no event.
pub async fn unpublished(connection: &mut PgConnection) -> Result<Unpublished, sqlx::Error> {
    // Lanes of one place are looked up together. The limits stand inside, so that each branch stops at its first row.
    let row = sqlx::query!(
        r#"with place as materialized (
            select settled::text as settled, array_agg(lane) as lanes, count(*) as lane_count
            from messaging.lane
            group by settled::text
        )
        select min(oldest.appended_at) as oldest,
               clock_timestamp() as "now!",
               (select sum(pg_snapshot_xmax(settled::pg_snapshot)::text::numeric * lane_count)::bigint from place) as "settled!"
        from place left join lateral (
            (select appended_at
             from messaging.outbox
             where xid >= pg_snapshot_xmax(place.settled::pg_snapshot) and lane = any(place.lanes)
             order by xid
             limit 1)
            union all
            (select appended_at
             from messaging.outbox
             where xid = any(array(select pg_snapshot_xip(place.settled::pg_snapshot))) and lane = any(place.lanes)
             order by xid
             limit 1)
        ) as oldest on true"#
    )
    .fetch_one(connection)
    .await?;
    Ok(Unpublished {
        oldest: row.oldest,
        now: row.now,
        settled: row.settled,
    })
}
