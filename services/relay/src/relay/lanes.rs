//! Owning lanes: heartbeat, renewal, taking over, writing back and giving up.

use std::time::Duration;

use messaging::{
    fault_point::{self, FaultPoint},
    lease::{self, LEASE, Lease, RENEWAL},
    metrics::DatabaseLabels,
    outbox,
    publisher::Publisher,
};
use tokio::time::Instant;

use super::{IDLE_WRITE_BACK, PARTITION_UPKEEP, Relay, RelayError, WRITE_BACK, connected, in_time};
use crate::cursor::Cursors;

/// How often, and how many times in a row, the broker is asked whether this relay's last connection is gone. It is dead
/// on our side, so the broker learns of it at once or after two missed heartbeats.
const FENCE_RETRY: Duration = Duration::from_millis(250);
const FENCE_ATTEMPTS: u32 = 60;

impl Relay {
    /// Shows that the relay lives, renews its leases, and takes free lanes or gives surplus ones up.
    pub async fn upkeep(&mut self) -> Result<(), RelayError> {
        self.hand_overs = self.bell.hand_overs();
        self.maintain_partitions().await?;
        if self.cursors.lanes_owned() == 0 {
            // Who cannot publish does not count among the living: lanes given up for it would lie idle.
            self.ready_publisher().await?;
        }
        let started = Instant::now();
        self.renew_at = started + RENEWAL;
        let connection = connected(&mut self.connection, &self.pool).await?;
        let live = in_time(lease::heartbeat(connection, &self.settings.name)).await?;
        let share = usize::try_from(lease::fair_share(live)).unwrap_or(usize::MAX);
        if self.cursors.lanes_owned() > 0 {
            self.renew_leases(started).await?;
        }
        let wanted = share.saturating_sub(self.cursors.lanes_owned());
        if wanted > 0 {
            self.take_lanes(i64::try_from(wanted).unwrap_or(i64::MAX))
                .await?;
        }
        self.give_up_surplus(share).await?;
        self.show_lanes();
        Ok(())
    }

    /// Takes lanes whose last owners' connections are gone from the broker; the others stay free and are tried again.
    async fn take_lanes(&mut self, at_most: i64) -> Result<(), RelayError> {
        self.ready_publisher().await?;
        let started = Instant::now();
        let held = self.cursors.lanes();
        let fence = self.fence.clone().ok_or(RelayError::LeaseEnded)?;
        let connection = connected(&mut self.connection, &self.pool).await?;
        let name = &self.settings.name;
        let claimable = in_time(lease::claimable(connection, name, &held, &fence)).await?;
        let gone = self.gone(claimable.fences).await?;
        let connection = connected(&mut self.connection, &self.pool).await?;
        let name = &self.settings.name;
        let acquired = in_time(lease::acquire(
            connection, name, &fence, &gone, &held, at_most,
        ))
        .await?;
        if acquired.iter().any(|lane| lane.reset) {
            tracing::error!(
                relay = self.settings.name,
                "the outbox's cursors are of another cluster (a restored database?); everything retained is published again"
            );
        }
        if self.cursors.lanes_owned() == 0 {
            self.leases_hold_until = started + LEASE;
        }
        if !self.joined {
            // The others learn at once that their fair share is smaller now.
            in_time(lease::ring(connection)).await?;
            self.joined = true;
        }
        self.cursors.take_over(acquired);
        Ok(())
    }

    /// Which of these connections are gone from the broker.
    async fn gone(&mut self, fences: Vec<String>) -> Result<Vec<String>, RelayError> {
        let mut gone = Vec::new();
        for fence in fences {
            let Some(publisher) = self.publisher.take() else {
                break;
            };
            let answer = self.renewing(publisher.is_gone(&fence)).await;
            self.publisher = Some(publisher);
            if answer?? {
                gone.push(fence);
            } else {
                tracing::warn!(
                    relay = self.settings.name,
                    fence,
                    "the last owner of some lanes is still connected to the broker; waiting until it is gone"
                );
            }
        }
        Ok(gone)
    }

    /// A connection that publishes, under which this relay's lanes are leased.
    pub(super) async fn ready_publisher(&mut self) -> Result<(), RelayError> {
        if self.publisher.as_ref().is_some_and(Publisher::is_usable) {
            return Ok(());
        }
        if let Some(publisher) = self.publisher.take() {
            publisher.close().await;
        }
        let (broker, name) = (
            self.broker.clone(),
            format!("gozon relay {}", self.settings.name),
        );
        let connecting = async move { Publisher::connect(&broker, &name).await };
        let publisher = self.renewing(connecting).await??;
        if self.cursors.lanes_owned() > 0 {
            self.lease_under(&publisher).await?;
        }
        self.fence = Some(publisher.fence().to_owned());
        self.publisher = Some(publisher);
        Ok(())
    }

    /// Leases the lanes again under a new connection, once the old one is gone from the broker: what it still had on the
    /// way cannot arrive behind what the new one publishes.
    async fn lease_under(&mut self, publisher: &Publisher) -> Result<(), RelayError> {
        if let Some(old) = self.fence.clone() {
            let mut asked = 0;
            while !self.renewing(publisher.is_gone(&old)).await?? {
                asked += 1;
                if asked == FENCE_ATTEMPTS {
                    return Err(RelayError::OldConnectionLives);
                }
                self.renewing(tokio::time::sleep(FENCE_RETRY)).await?;
            }
        }
        let started = Instant::now();
        let leases = self.cursors.leases();
        let connection = connected(&mut self.connection, &self.pool).await?;
        let name = &self.settings.name;
        let again = lease::take_again(connection, name, &leases, publisher.fence());
        let held = in_time(again).await?;
        self.cursors.take_again(&held);
        self.leases_hold_until = started + LEASE;
        Ok(())
    }

    async fn maintain_partitions(&mut self) -> Result<(), RelayError> {
        let now = Instant::now();
        if now >= self.partitions_at {
            let connection = connected(&mut self.connection, &self.pool).await?;
            in_time(outbox::maintain_partitions(connection)).await?;
            self.partitions_at = now + PARTITION_UPKEEP;
        }
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
                fault_point::pass(FaultPoint::BeforeWriteBack);
                let kept = in_time(lease::settle(
                    connection,
                    &self.settings.name,
                    &cursor.leases,
                    &cursor.since,
                ))
                .await?;
                fault_point::pass(FaultPoint::AfterWriteBack);
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
        let closed = match self.publisher.take() {
            Some(publisher) => publisher.close().await,
            None => self.fence.is_none(),
        };
        let fence = self.fence.take().filter(|_| !closed);
        let connection = connected(&mut self.connection, &self.pool).await?;
        let name = &self.settings.name;
        in_time(lease::leave(connection, name)).await?;
        let leases = self.cursors.leases();
        in_time(lease::release(connection, name, &leases, fence.as_deref())).await?;
        self.cursors = Cursors::default();
        self.show_lanes();
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
        let name = &self.settings.name;
        in_time(lease::release(connection, name, &given_up, None)).await?;
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
        self.renew_leases(started).await
    }

    async fn renew_leases(&mut self, started: Instant) -> Result<(), RelayError> {
        let leases = self.cursors.leases();
        let connection = connected(&mut self.connection, &self.pool).await?;
        let held = in_time(lease::renew(connection, &self.settings.name, &leases)).await?;
        self.cursors.keep_only(&held);
        self.leases_hold_until = started + LEASE;
        Ok(())
    }

    pub(super) fn show_lanes(&self) {
        let labels = DatabaseLabels {
            database: self.settings.database,
        };
        let owned = i64::try_from(self.cursors.lanes_owned()).expect("at most 64 lanes");
        self.metrics.lanes_owned.get_or_create(&labels).set(owned);
    }
}
