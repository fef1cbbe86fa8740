//! The state of an outbox as an operator asks for it: what waits, in which lane, and who is to publish it.

use sqlx::PgConnection;
use time::OffsetDateTime;

/// The most rows that are looked at to count what waits: an operator wants to know of a large backlog, not its last digit.
pub const PENDING_ROWS_MAX: i64 = 100_000;

/// What an outbox is like at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The database's clock.
    pub now: OffsetDateTime,
    /// Whether more rows may wait than were counted: [`PENDING_ROWS_MAX`] were looked at.
    pub capped: bool,
    /// All lanes, by number.
    pub lanes: Vec<LaneStatus>,
    /// The relays that have shown themselves within the last hour, by name.
    pub relays: Vec<RelayStatus>,
    /// How many events are parked: they can never be sent. At most [`PENDING_ROWS_MAX`] are counted.
    pub parked: i64,
    /// When the first of them was parked.
    pub parked_since: Option<OffsetDateTime>,
    /// How many days ahead there are partitions for, today not counted; below zero when today has none.
    pub partition_days_ahead: Option<i32>,
}

/// A lane and what waits in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneStatus {
    /// Its number.
    pub lane: i16,
    /// The relay that publishes it.
    pub owner: Option<String>,
    /// Until when, unless renewed.
    pub lease_until: Option<OffsetDateTime>,
    /// How often it has changed its owner.
    pub epoch: i64,
    /// How many events wait: committed and not yet written back as published.
    pub pending: i64,
    /// When the oldest of them was appended.
    pub oldest: Option<OffsetDateTime>,
}

/// A relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayStatus {
    /// Its name.
    pub name: String,
    /// When it last showed that it lives.
    pub heartbeat: OffsetDateTime,
    /// How many events the broker has confirmed to it since it started.
    pub published: i64,
    /// The broker as it sees it: [`crate::lease::BrokerState::as_str`]; none of an older relay.
    pub broker: Option<String>,
    /// When it last told the two.
    pub told_at: Option<OffsetDateTime>,
}

impl Status {
    /// How many events wait, over all lanes.
    #[must_use]
    pub fn pending(&self) -> i64 {
        self.lanes.iter().map(|lane| lane.pending).sum()
    }

    /// When the oldest event that waits was appended.
    #[must_use]
    pub fn oldest(&self) -> Option<OffsetDateTime> {
        self.lanes.iter().filter_map(|lane| lane.oldest).min()
    }
}

/// Reads the state. It looks at [`PENDING_ROWS_MAX`] rows at most, and as many of transactions that ran when a lane was settled,
/// by the index on `xid`; what was published before is not touched.
pub async fn status(connection: &mut PgConnection) -> Result<Status, sqlx::Error> {
    let lanes = lanes(connection).await?;
    let relays = sqlx::query_as!(
        RelayStatus,
        "select name, heartbeat, published, broker, told_at from messaging.relay
         where greatest(heartbeat, told_at) > now() - interval '1 hour'
         order by name
         limit 1000"
    )
    .fetch_all(&mut *connection)
    .await?;
    let row = sqlx::query!(
        r#"select clock_timestamp() as "now!", parked as "parked!", parked_since,
                  (select max(to_date(right(child.relname, 8), 'YYYYMMDD')) - (now() at time zone 'utc')::date
                   from pg_inherits join pg_class child on child.oid = inhrelid
                   where inhparent = 'messaging.outbox'::regclass) as partition_days_ahead
           from (
               select count(*) as parked, min(parked_at) as parked_since
               from (select parked_at from messaging.parked order by outbox_id limit $1) as first_parked
           ) as parked"#,
        PENDING_ROWS_MAX,
    )
    .fetch_one(connection)
    .await?;
    Ok(Status {
        now: row.now,
        capped: lanes.capped,
        lanes: lanes.lanes,
        relays,
        parked: row.parked,
        parked_since: row.parked_since,
        partition_days_ahead: row.partition_days_ahead,
    })
}

struct Lanes {
    lanes: Vec<LaneStatus>,
    capped: bool,
}

async fn lanes(connection: &mut PgConnection) -> Result<Lanes, sqlx::Error> {
    // What waits is what some lane's snapshot does not see: what came after the earliest of them, and what ran then. Both
    // are bound as values, because a planner that cannot see them expects a third of the table and reads it all.
    let settled = sqlx::query!(
        r#"select min(pg_snapshot_xmax(settled)::text::bigint)::text as "earliest!",
                  array(select distinct xip::text from messaging.lane, pg_snapshot_xip(settled) as xip) as "running!"
           from messaging.lane"#
    )
    .fetch_one(&mut *connection)
    .await?;
    let rows = sqlx::query!(
        r#"with recent as materialized (
            (select lane, xid, appended_at
             from messaging.outbox
             where xid >= $2::text::xid8
             order by xid
             limit $1)
            union all
            (select lane, xid, appended_at
             from messaging.outbox
             where xid = any($3::text[]::xid8[]) and xid < $2::text::xid8
             limit $1)
        ),
        waiting as (
            select recent.lane, count(*) as pending, min(appended_at) as oldest
            from recent join messaging.lane on lane.lane = recent.lane
            where not pg_visible_in_snapshot(recent.xid, lane.settled)
            group by recent.lane
        )
        select lane.lane, owner, lease_until, epoch, coalesce(pending, 0) as "pending!", oldest,
               (select count(*) from recent) >= $1 as "capped!"
        from messaging.lane left join waiting on waiting.lane = lane.lane
        order by lane.lane"#,
        PENDING_ROWS_MAX,
        settled.earliest,
        &settled.running,
    )
    .fetch_all(connection)
    .await?;
    Ok(Lanes {
        capped: rows.iter().any(|row| row.capped),
        lanes: rows
            .into_iter()
            .map(|row| LaneStatus {
                lane: row.lane,
                owner: row.owner,
                lease_until: row.lease_until,
                epoch: row.epoch,
                pending: row.pending,
                oldest: row.oldest,
            })
            .collect(),
    })
}
