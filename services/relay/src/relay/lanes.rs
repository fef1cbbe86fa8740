//! Owning lanes: heartbeat, renewal, taking over, writing back and giving up.

use std::time::Duration;

use messaging::{
    fault_point::{self, FaultPoint},
    lease::{self, BrokerState, LEASE, RENEWAL},
    metrics::{DatabaseLabels, time},
    outbox, publish_log,
    publisher::Publisher,
};
use tokio::time::Instant;

use super::{IDLE_WRITE_BACK, Relay, RelayError, WRITE_BACK, connected, flow::meanwhile, in_time};
use crate::cursor::Cursors;

/// How often, and how many times in a row, the broker is asked whether this relay's last connection is gone. It is dead
/// on our side, so the broker learns of it at once or after two missed heartbeats.
const FENCE_RETRY: Duration = Duration::from_millis(250);
const FENCE_ATTEMPTS: u32 = 60;

impl Relay {
    /// Shows that the relay lives, renews its leases, and takes free lanes or gives surplus ones up.
    pub async fn upkeep(&mut self) -> Result<(), RelayError> {
        self.hand_overs = self.bell.hand_overs();
        self.keep_tables().await?;
        if self.cursors.lanes_owned() == 0 {
            // Who cannot publish does not count among the living: lanes given up for it would lie idle. Without a database
            // there is nothing to publish either.
            connected(&mut self.connection, &self.pool).await?;
            self.ready_publisher().await?;
        }
        let started = Instant::now();
        self.renew_at = started + RENEWAL;
        let name = self.settings.name.clone();
        let report = self.line.report();
        let live = statement!(
            self,
            connection,
            lease::heartbeat(connection, &name, report)
        );
        self.share = usize::try_from(lease::fair_share(live)).unwrap_or(usize::MAX);
        if self.cursors.lanes_owned() > 0 {
            self.renew_leases(started).await?;
            if self.mark.is_none() {
                self.mark = Some(statement!(self, connection, outbox::mark(connection)));
            }
        }
        let wanted = self.share.saturating_sub(self.cursors.lanes_owned());
        if wanted > 0 {
            self.take_lanes(i64::try_from(wanted).unwrap_or(i64::MAX))
                .await?;
        }
        self.show_lanes();
        self.give_up_surplus().await
    }

    /// Takes lanes whose last owners' connections are gone from the broker; the others stay free and are tried again.
    async fn take_lanes(&mut self, at_most: i64) -> Result<(), RelayError> {
        self.ready_publisher().await?;
        let started = Instant::now();
        let (name, held) = (self.settings.name.clone(), self.cursors.lanes());
        let fence = self.fence.clone().ok_or(RelayError::LeaseEnded)?;
        let claimable = statement!(
            self,
            connection,
            lease::claimable(connection, &name, &held, &fence)
        );
        if claimable.lanes > 0 {
            if claimable.foreign {
                self.adopt().await?;
            }
            let gone = self.gone(claimable.fences).await?;
            let acquired = statement!(
                self,
                connection,
                lease::acquire(connection, &name, &fence, &gone, &held, at_most)
            );
            if self.cursors.lanes_owned() == 0 {
                self.leases_hold_until = started + LEASE;
            }
            self.cursors.take_over(acquired);
            self.line.owns(&self.cursors.leases());
            let lanes = self.cursors.lanes();
            let parked = statement!(self, connection, outbox::parked_keys(connection, &lanes));
            self.line.parked_keys = parked.into_iter().collect();
        }
        if !self.joined {
            // The others learn at once that their fair share is smaller now.
            statement!(self, connection, lease::ring(connection));
            self.joined = true;
        }
        Ok(())
    }

    /// The database was restored from another cluster: its rows become this one's before any position is reset.
    async fn adopt(&mut self) -> Result<(), RelayError> {
        let connection = connected(&mut self.connection, &self.pool).await?;
        let adopted = outbox::adopt(connection).await?;
        let labels = DatabaseLabels {
            database: self.settings.database,
        };
        self.metrics.relay.restores.get_or_create(&labels).inc();
        tracing::error!(
            relay = self.settings.name,
            adopted,
            "the outbox's cursors are of another cluster (a restored database?); everything retained is published again"
        );
        Ok(())
    }

    /// Which of these connections are gone from the broker.
    async fn gone(&mut self, fences: Vec<String>) -> Result<Vec<String>, RelayError> {
        let mut gone = Vec::new();
        for fence in fences {
            let Some(publisher) = self.line.publisher.take() else {
                break;
            };
            let answer = self.renewing(publisher.is_gone(&fence)).await;
            self.line.publisher = Some(publisher);
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
        let is_usable = self
            .line
            .publisher
            .as_ref()
            .is_some_and(Publisher::is_usable);
        if is_usable && !self.line.broken {
            return Ok(());
        }
        if let Some(publisher) = self.line.publisher.take() {
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
        self.line.connected(publisher);
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
        let (name, leases) = (self.settings.name.clone(), self.cursors.leases());
        let held = statement!(
            self,
            connection,
            lease::take_again(connection, &name, &leases, publisher.fence())
        );
        self.cursors.take_again(&held);
        self.line.owns(&held);
        self.leases_hold_until = started + LEASE;
        Ok(())
    }

    /// Writes down what was published, and then how far the lanes are: what a cursor is past is in the log, or parked.
    pub async fn write_back(&mut self) -> Result<(), RelayError> {
        self.absorb();
        let started = Instant::now();
        let mut wrote = self.write_log().await?;
        let idle_for = started.saturating_duration_since(self.write_back_at);
        let name = self.settings.name.clone();
        for index in 0..self.cursors.0.len() {
            let cursor = &mut self.cursors.0[index];
            let due = cursor.has_news() || (cursor.has_moved() && idle_for >= IDLE_WRITE_BACK);
            let Some(settled) = cursor.settled.clone().filter(|_| due) else {
                continue;
            };
            cursor.written_back();
            let leases = cursor.leases.clone();
            fault_point::pass(FaultPoint::BeforeWriteBack);
            let durations = self.durations.write_back.clone();
            let held = statement!(
                self,
                connection,
                time(
                    &durations,
                    lease::settle(connection, &name, &leases, &settled)
                )
            );
            fault_point::pass(FaultPoint::AfterWriteBack);
            self.cursors.0[index].leases = held;
            wrote = true;
        }
        if wrote {
            self.write_back_at = started + WRITE_BACK;
            self.cursors.forget_lost();
            self.line.owns(&self.cursors.leases());
        }
        Ok(())
    }

    /// Writes down what was confirmed so far. If that fails no cursor moves, and what it lacks is published again.
    /// Says whether there was anything.
    async fn write_log(&mut self) -> Result<bool, RelayError> {
        if self.line.log.is_empty() {
            return Ok(false);
        }
        let log = std::mem::take(&mut self.line.log);
        let durations = self.durations.append_log.clone();
        statement!(
            self,
            connection,
            time(&durations, publish_log::append(connection, &log))
        );
        Ok(true)
    }

    /// Writes back, gives all lanes up and takes itself off the list of the living: others take over at once.
    pub async fn leave(&mut self) -> Result<(), RelayError> {
        if let Err(error) = self.drain().await {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "not everything was confirmed before the stop"
            );
        }
        self.write_back().await?;
        let closed = match self.line.publisher.take() {
            Some(publisher) => publisher.close().await,
            None => self.fence.is_none(),
        };
        let fence = self.fence.take().filter(|_| !closed);
        let (name, leases) = (self.settings.name.clone(), self.cursors.leases());
        let connection = connected(&mut self.connection, &self.pool).await?;
        in_time(lease::leave(connection, &name)).await?;
        in_time(lease::release(connection, &name, &leases, fence.as_deref())).await?;
        self.cursors = Cursors::default();
        self.line.clear();
        self.joined = false;
        self.show_lanes();
        self.line.show();
        Ok(())
    }

    /// How many lanes this relay owns beyond its fair share.
    pub(super) fn surplus(&self) -> usize {
        self.cursors.lanes_owned().saturating_sub(self.share)
    }

    /// Gives lanes beyond the fair share up, as soon as all that was read of them is confirmed.
    pub(super) async fn give_up_surplus(&mut self) -> Result<(), RelayError> {
        self.absorb();
        while let Some((given_up, settled)) = self.cursors.give_up(self.share) {
            self.line.owns(&self.cursors.leases());
            self.write_log().await?;
            let name = self.settings.name.clone();
            let settling = statement!(
                self,
                connection,
                lease::settle(connection, &name, &given_up, &settled)
            );
            statement!(
                self,
                connection,
                lease::release(connection, &name, &settling, None)
            );
            self.show_lanes();
        }
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

    pub(super) async fn renew(&mut self) -> Result<(), RelayError> {
        let started = Instant::now();
        self.renew_at = started + RENEWAL;
        let name = self.settings.name.clone();
        let report = self.line.report();
        if self.cursors.lanes_owned() == 0 && report.broker == BrokerState::Away {
            statement!(self, connection, lease::tell(connection, &name, report));
        } else {
            statement!(
                self,
                connection,
                lease::heartbeat(connection, &name, report)
            );
        }
        self.renew_leases(started).await
    }

    async fn renew_leases(&mut self, started: Instant) -> Result<(), RelayError> {
        let (name, leases) = (self.settings.name.clone(), self.cursors.leases());
        let held = statement!(self, connection, lease::renew(connection, &name, &leases));
        self.cursors.keep_only(&held);
        self.line.owns(&held);
        self.leases_hold_until = started + LEASE;
        Ok(())
    }

    pub(super) fn show_lanes(&self) {
        let labels = DatabaseLabels {
            database: self.settings.database,
        };
        let owned = i64::try_from(self.cursors.lanes_owned()).expect("at most 64 lanes");
        let lanes = &self.metrics.relay.lanes_owned;
        lanes.get_or_create(&labels).set(owned);
    }
}
