//! Leases on lanes: which relay publishes what, handed out with `for update skip locked` and counted by epochs.

mod presence;

use std::time::Duration;

use sqlx::PgConnection;

use crate::{
    doorbell::{Channel, HAND_OVER},
    lane::LANES,
    outbox::{Part, Position, Settled, parse_snapshot},
    snapshot::Snapshot,
};

pub use self::presence::{BrokerState, Report, heartbeat, leave, tell};

/// How long a lease holds without renewal: what a killed relay costs before another takes over.
pub const LEASE: Duration = Duration::from_secs(3);

/// How often leases are renewed, free lanes looked for, and the relay shows that it lives.
pub const RENEWAL: Duration = Duration::from_secs(1);

/// A lane this relay owns under an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The lane.
    pub lane: i16,
    /// The epoch under which it is owned; an older one writes nothing back.
    pub epoch: i64,
}

/// A lane just taken over.
#[derive(Debug, Clone)]
pub struct Acquired {
    /// The lease.
    pub lease: Lease,
    /// What the last owner wrote back as published.
    pub settled: Settled,
    /// The lane's cursor was of another cluster (a logical restore): everything retained is published again.
    pub reset: bool,
}

/// The lanes each of `live` relays should own: all of them, divided and rounded up.
#[must_use]
pub fn fair_share(live: i64) -> i64 {
    (i64::from(LANES) + live.max(1) - 1) / live.max(1)
}

/// What stands between a relay and the lanes it could take.
#[derive(Debug, Clone, Default)]
pub struct Claimable {
    /// How many there are.
    pub lanes: i64,
    /// The connections of their last owners: each must be gone from the broker before its lanes are taken.
    pub fences: Vec<String>,
    /// Some lane's cursor is of another cluster: the rows must be made this cluster's own before anything is read.
    pub foreign: bool,
}

/// Looks at the lanes that [`acquire`] could take, without taking any.
pub async fn claimable(
    connection: &mut PgConnection,
    relay: &str,
    held: &[i16],
    fence: &str,
) -> Result<Claimable, sqlx::Error> {
    sqlx::query_as!(
        Claimable,
        r#"select count(*) as "lanes!",
                  coalesce(array_agg(distinct fence) filter (where fence <> $3), '{}') as "fences!",
                  coalesce(bool_or(system_identifier <> (pg_control_system()).system_identifier
                      or pg_snapshot_xmax(settled) > pg_snapshot_xmax(pg_current_snapshot())), false) as "foreign!"
           from messaging.lane
           where (lease_until is null or lease_until < now() or owner = $1) and lane <> all($2)"#,
        relay,
        held,
        fence,
    )
    .fetch_one(connection)
    .await
}

/// Takes up to `at_most` lanes that nobody owns, whose lease has ended, or that are this relay's own: it forgot how far it
/// was. None of those it holds, which it renews or learns to be lost. Only lanes without a fence, with this relay's own, or with one of those that are
/// `gone` from the broker: whoever else published them may still write.
pub async fn acquire(
    connection: &mut PgConnection,
    relay: &str,
    fence: &str,
    gone: &[String],
    held: &[i16],
    at_most: i64,
) -> Result<Vec<Acquired>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"with free as (
            select lane,
                   system_identifier <> (pg_control_system()).system_identifier
                       or pg_snapshot_xmax(settled) > pg_snapshot_xmax(pg_current_snapshot()) as foreign_cluster
            from messaging.lane
            where (lease_until is null or lease_until < now() or owner = $1) and lane <> all($5)
              and (fence is null or fence = $6 or fence = any($7))
            order by lane
            limit $2
            for update skip locked
        )
        update messaging.lane
        set owner = $1,
            epoch = epoch + 1,
            fence = $6,
            lease_until = now() + make_interval(secs => $3),
            settled = case when foreign_cluster then $4::text::pg_snapshot else settled end,
            settled_id = case when foreign_cluster then 0 else settled_id end,
            part_since = case when foreign_cluster then null else part_since end,
            system_identifier = (pg_control_system()).system_identifier
        from free
        where lane.lane = free.lane
        returning lane.lane, epoch, settled::text as "settled!", settled_id, foreign_cluster as "foreign_cluster!",
                  case when part_since::text = settled::text then part_until::text end as part_until, part_id"#,
        relay,
        at_most,
        LEASE.as_secs_f64(),
        Snapshot::beginning().to_string(),
        held,
        fence,
        gone,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Acquired {
                lease: Lease {
                    lane: row.lane,
                    epoch: row.epoch,
                },
                settled: Settled {
                    position: Position {
                        snapshot: parse_snapshot(&row.settled)?,
                        id: row.settled_id,
                    },
                    part: part(row.part_until, row.part_id)?,
                },
                reset: row.foreign_cluster,
            })
        })
        .collect()
}

fn part(until: Option<String>, id: Option<i64>) -> Result<Option<Part>, sqlx::Error> {
    let part = until.zip(id).map(|(until, id)| {
        let until = parse_snapshot(&until)?;
        Ok(Part { until, id })
    });
    part.transpose()
}

/// Renews leases; those not returned are lost to another owner.
pub async fn renew(
    connection: &mut PgConnection,
    relay: &str,
    leases: &[Lease],
) -> Result<Vec<Lease>, sqlx::Error> {
    let (lanes, epochs) = columns(leases);
    sqlx::query_as!(
        Lease,
        "update messaging.lane
         set lease_until = now() + make_interval(secs => $4)
         from unnest($2::smallint[], $3::bigint[]) as mine (lane, epoch)
         where lane.lane = mine.lane and lane.epoch = mine.epoch and owner = $1
         returning lane.lane, lane.epoch",
        relay,
        &lanes,
        &epochs,
        LEASE.as_secs_f64(),
    )
    .fetch_all(connection)
    .await
}

/// Takes lanes this relay owns again under its new connection, with new epochs; those not returned are lost. The old
/// connection is gone from the broker.
pub async fn take_again(
    connection: &mut PgConnection,
    relay: &str,
    leases: &[Lease],
    fence: &str,
) -> Result<Vec<Lease>, sqlx::Error> {
    let (lanes, epochs) = columns(leases);
    sqlx::query_as!(
        Lease,
        "update messaging.lane
         set epoch = lane.epoch + 1, fence = $4, lease_until = now() + make_interval(secs => $5)
         from unnest($2::smallint[], $3::bigint[]) as mine (lane, epoch)
         where lane.lane = mine.lane and lane.epoch = mine.epoch and owner = $1
         returning lane.lane, lane.epoch",
        relay,
        &lanes,
        &epochs,
        fence,
        LEASE.as_secs_f64(),
    )
    .fetch_all(connection)
    .await
}

/// Writes back how far these lanes are published; those not returned are lost.
pub async fn settle(
    connection: &mut PgConnection,
    relay: &str,
    leases: &[Lease],
    settled: &Settled,
) -> Result<Vec<Lease>, sqlx::Error> {
    let (lanes, epochs) = columns(leases);
    sqlx::query_as!(
        Lease,
        "update messaging.lane
         set settled = $4::text::pg_snapshot, settled_id = $5,
             part_since = case when $7::bigint is not null then $4::text::pg_snapshot end,
             part_until = $6::text::pg_snapshot, part_id = $7
         from unnest($2::smallint[], $3::bigint[]) as mine (lane, epoch)
         where lane.lane = mine.lane and lane.epoch = mine.epoch and owner = $1
         returning lane.lane, lane.epoch",
        relay,
        &lanes,
        &epochs,
        settled.position.snapshot.to_string(),
        settled.position.id,
        settled.part.as_ref().map(|part| part.until.to_string()),
        settled.part.as_ref().map(|part| part.id),
    )
    .fetch_all(connection)
    .await
}

/// Gives lanes up and rings the other relays, so that one of them takes the lanes at once. `fence` names a connection
/// that may still write to the broker; none if all it wrote is confirmed or it is closed.
pub async fn release(
    connection: &mut PgConnection,
    relay: &str,
    leases: &[Lease],
    fence: Option<&str>,
) -> Result<(), sqlx::Error> {
    let (lanes, epochs) = columns(leases);
    sqlx::query!(
        "update messaging.lane
         set owner = null, lease_until = null, fence = $4
         from unnest($2::smallint[], $3::bigint[]) as mine (lane, epoch)
         where lane.lane = mine.lane and lane.epoch = mine.epoch and owner = $1",
        relay,
        &lanes,
        &epochs,
        fence,
    )
    .execute(&mut *connection)
    .await?;
    ring(connection).await
}

/// Tells the other relays that lanes are to be taken or given up.
pub async fn ring(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "select pg_notify($1, $2)",
        Channel::Outbox.as_str(),
        HAND_OVER
    )
    .execute(connection)
    .await?;
    Ok(())
}

fn columns(leases: &[Lease]) -> (Vec<i16>, Vec<i64>) {
    leases.iter().map(|lease| (lease.lane, lease.epoch)).unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fair_shares_cover_all_lanes() {
        for live in 0..=100 {
            assert!(fair_share(live) * live.max(1) >= i64::from(LANES), "{live}");
            assert!(fair_share(live) <= i64::from(LANES), "{live}");
        }
    }

    #[test]
    fn a_fair_share_is_the_smallest_that_covers_all_lanes() {
        for live in 1..=100 {
            let smaller = fair_share(live) - 1;
            assert!(smaller * live < i64::from(LANES), "{live}");
        }
    }
}
