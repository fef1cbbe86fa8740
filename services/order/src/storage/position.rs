//! A place in the status history, as a reader keeps it between two reads.

use std::cmp::Reverse;

use messaging::snapshot::Snapshot;
use sqlx::PgConnection;

/// A snapshot and the cluster whose transaction numbers it speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) system_identifier: i64,
    pub(crate) snapshot: Snapshot,
}

impl Position {
    /// Whether whatever this place has passed, the other has passed too. Snapshots of one cluster are nested: `xmax`
    /// never falls, and while it stands still the running transactions below it only get fewer.
    pub(crate) fn is_at_or_before(&self, other: &Self) -> bool {
        let order = |position: &Self| {
            (
                position.snapshot.xmax(),
                Reverse(position.snapshot.in_progress().len()),
            )
        };
        self.system_identifier == other.system_identifier && order(self) <= order(other)
    }

    /// The same place for a reader that knows of no row beyond transaction `xid`: whatever comes is still to come.
    ///
    /// A snapshot has also passed transactions that were rolled back or wrote nothing, and after a crash Postgres may
    /// give their numbers again; a place that outlives the server must not take those for seen. The number of a row that
    /// was once visible is never given again, because its commit was on disk.
    pub(crate) fn up_to(&self, xid: u64) -> Self {
        let xmax = self.snapshot.xmax().min(xid.saturating_add(1));
        let running: Vec<&u64> = self
            .snapshot
            .in_progress()
            .iter()
            .filter(|running| **running < xmax)
            .collect();
        let xmin = running.first().map_or(xmax, |oldest| **oldest);
        let running: Vec<String> = running.into_iter().map(u64::to_string).collect();
        let text = format!("{xmin}:{xmax}:{}", running.join(","));
        let snapshot = text
            .parse()
            .expect("the lower part of a snapshot is a snapshot");
        Self {
            system_identifier: self.system_identifier,
            snapshot,
        }
    }

    /// The last transaction this place has passed.
    pub(crate) const fn last_xid(&self) -> u64 {
        self.snapshot.xmax().saturating_sub(1)
    }
}

/// The present, for a reader of all users' rows.
pub(crate) async fn present(connection: &mut PgConnection) -> Result<Position, sqlx::Error> {
    let row = sqlx::query!(
        r#"select pg_current_snapshot()::text as "snapshot!",
                  (pg_control_system()).system_identifier as "system_identifier!",
                  (select xid::text::bigint
                  from orders.status_history
                  where xid < pg_snapshot_xmax(pg_current_snapshot())
                  order by status_history.xid desc
                  limit 1) as last_xid"#
    )
    .fetch_one(connection)
    .await?;
    let position = Position {
        system_identifier: row.system_identifier,
        snapshot: parse(&row.snapshot)?,
    };
    Ok(position.up_to(row.last_xid.map_or(0, xid)))
}

/// A transaction number from its column: 64 bits that count up from zero, so the sign bit is never reached.
pub(super) const fn xid(column: i64) -> u64 {
    column.cast_unsigned()
}

/// A snapshot as Postgres wrote it.
pub(super) fn parse(snapshot: &str) -> Result<Snapshot, sqlx::Error> {
    snapshot
        .parse()
        .map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(system_identifier: i64, snapshot: &str) -> Position {
        Position {
            system_identifier,
            snapshot: snapshot.parse().unwrap(),
        }
    }

    #[test]
    fn places_of_one_cluster_are_ordered_and_those_of_two_are_not() {
        let later = place(7, "10:20:12");
        for (earlier, expected) in [
            (place(7, "10:20:12"), true),
            (place(7, "10:20:11,12"), true),
            (place(7, "10:15:"), true),
            (place(7, "20:20:"), false),
            (place(7, "10:21:12,20"), false),
            (place(8, "10:15:"), false),
        ] {
            assert_eq!(earlier.is_at_or_before(&later), expected, "{earlier:?}");
        }
    }

    #[test]
    fn a_place_keeps_only_what_was_on_disk() {
        let full = place(7, "10:20:12,17");
        for (xid, kept) in [
            (0, "1:1:"),
            (11, "12:12:"),
            (12, "12:13:12"),
            (15, "12:16:12"),
            (19, "12:20:12,17"),
            (u64::MAX, "12:20:12,17"),
        ] {
            assert_eq!(full.up_to(xid), place(7, kept), "{xid}");
        }
    }
}
