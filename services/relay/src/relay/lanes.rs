//! Owning lanes: heartbeat, renewal, taking over, writing back and giving up.

use messaging::{
    lease::{self, LEASE, Lease, RENEWAL},
    metrics::RelayLabels,
    outbox,
};
use tokio::time::Instant;

use super::{IDLE_WRITE_BACK, PARTITION_UPKEEP, Relay, RelayError, WRITE_BACK, connected, in_time};
use crate::cursor::Cursors;

impl Relay {
    /// Shows that the relay lives, renews its leases, and takes free lanes or gives surplus ones up.
    pub async fn upkeep(&mut self) -> Result<(), RelayError> {
        let started = Instant::now();
        self.renew_at = started + RENEWAL;
        let connection = connected(&mut self.connection, &self.pool).await?;
        let live = in_time(lease::heartbeat(connection, &self.settings.name)).await?;
        let share = usize::try_from(lease::fair_share(live)).unwrap_or(usize::MAX);
        if self.cursors.lanes_owned() > 0 {
            let held = in_time(lease::renew(
                connection,
                &self.settings.name,
                &self.cursors.leases(),
            ))
            .await?;
            self.cursors.keep_only(&held);
        }
        let wanted =
            i64::try_from(share.saturating_sub(self.cursors.lanes_owned())).unwrap_or(i64::MAX);
        if wanted > 0 {
            let held: Vec<i16> = self
                .cursors
                .leases()
                .iter()
                .map(|lease| lease.lane)
                .collect();
            let acquired = in_time(lease::acquire(
                connection,
                &self.settings.name,
                &held,
                wanted,
            ))
            .await?;
            if acquired.iter().any(|lane| lane.reset) {
                tracing::error!(
                    relay = self.settings.name,
                    "the outbox's cursors are of another cluster (a restored database?); everything retained is published again"
                );
            }
            self.cursors.take_over(acquired);
        }
        self.leases_hold_until = started + LEASE;
        if started >= self.partitions_at {
            in_time(outbox::maintain_partitions(connection)).await?;
            self.partitions_at = started + PARTITION_UPKEEP;
        }
        self.give_up_surplus(share).await?;
        self.show_lanes();
        Ok(())
    }

    /// Writes back how far the lanes are published.
    pub async fn write_back(&mut self) -> Result<(), RelayError> {
        let started = Instant::now();
        let idle_for = started.saturating_duration_since(self.write_back_at);
        let mut held: Vec<Lease> = Vec::new();
        let connection = connected(&mut self.connection, &self.pool).await?;
        for cursor in &mut self.cursors.0 {
            let due =
                cursor.dirty || (idle_for >= IDLE_WRITE_BACK && cursor.written != cursor.since);
            if due {
                let kept = in_time(lease::settle(
                    connection,
                    &self.settings.name,
                    &cursor.leases,
                    &cursor.since,
                ))
                .await?;
                held.extend(kept);
                cursor.written = cursor.since.clone();
                cursor.dirty = false;
                self.write_back_at = started + WRITE_BACK;
            } else {
                held.extend(&cursor.leases);
            }
        }
        self.cursors.keep_only(&held);
        Ok(())
    }

    /// Writes back, gives all lanes up and takes itself off the list of the living: others take over at once.
    pub async fn leave(&mut self) -> Result<(), RelayError> {
        self.write_back().await?;
        let connection = connected(&mut self.connection, &self.pool).await?;
        in_time(lease::release(
            connection,
            &self.settings.name,
            &self.cursors.leases(),
        ))
        .await?;
        in_time(lease::leave(connection, &self.settings.name)).await?;
        self.cursors = Cursors::default();
        self.show_lanes();
        if let Some(publisher) = self.publisher.take() {
            publisher.close().await;
        }
        Ok(())
    }

    async fn give_up_surplus(&mut self, share: usize) -> Result<(), RelayError> {
        let surplus = self.cursors.lanes_owned().saturating_sub(share);
        // Only lanes at rest are given up: their rows are all confirmed, so nobody publishes them twice.
        let Some(leader) = self
            .cursors
            .0
            .first()
            .filter(|leader| surplus > 0 && leader.paging.is_none())
        else {
            return Ok(());
        };
        let since = leader.since.clone();
        let keep = leader.leases.len().saturating_sub(surplus);
        let given_up = self.cursors.0[0].leases.split_off(keep);
        let connection = connected(&mut self.connection, &self.pool).await?;
        in_time(lease::settle(
            connection,
            &self.settings.name,
            &given_up,
            &since,
        ))
        .await?;
        in_time(lease::release(connection, &self.settings.name, &given_up)).await?;
        self.cursors.0.retain(|cursor| !cursor.leases.is_empty());
        Ok(())
    }

    /// Waits for something, renewing the leases whenever that is due.
    pub(super) async fn renewing<T>(
        &mut self,
        work: impl Future<Output = T>,
    ) -> Result<T, RelayError> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                () = tokio::time::sleep_until(self.renew_at) => self.renew().await?,
            }
        }
    }

    async fn renew(&mut self) -> Result<(), RelayError> {
        let started = Instant::now();
        self.renew_at = started + RENEWAL;
        let connection = connected(&mut self.connection, &self.pool).await?;
        in_time(lease::heartbeat(connection, &self.settings.name)).await?;
        let held = in_time(lease::renew(
            connection,
            &self.settings.name,
            &self.cursors.leases(),
        ))
        .await?;
        self.cursors.keep_only(&held);
        self.leases_hold_until = started + LEASE;
        Ok(())
    }

    pub(super) fn show_lanes(&self) {
        let labels = RelayLabels {
            database: self.settings.database,
            relay: self.settings.index,
        };
        let owned = i64::try_from(self.cursors.lanes_owned()).expect("at most 64 lanes");
        self.metrics.lanes_owned.get_or_create(&labels).set(owned);
    }
}
