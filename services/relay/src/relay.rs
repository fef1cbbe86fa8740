//! One relay: leases lanes, publishes what is new in them, and gives them back.

mod lanes;
mod publish;

use std::time::Duration;

use messaging::{
    broker::{BrokerError, BrokerUrl},
    doorbell::{Bell, Channel, WokenBy},
    fault_point::{self, FaultPoint},
    lease::RENEWAL,
    metrics::{Metrics, WakeupLabels},
    outbox::{self, Difference},
    publisher::Publisher,
};
use sqlx::{PgConnection, PgPool, Postgres, pool::PoolConnection};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::cursor::{Cursors, Paging};

/// The most rows read, published and confirmed in one step.
const PAGE: i64 = 2_000;

/// Reads begin at most once in this time, so that under load one read serves many commits; one that comes alone is read at
/// once.
const PACE: Duration = Duration::from_millis(3);

/// At most one write-back in this time while events flow.
const WRITE_BACK: Duration = Duration::from_millis(500);

/// A write-back without events, so that retention sees that nothing is pending.
const IDLE_WRITE_BACK: Duration = Duration::from_secs(30);

/// How long to wait for a ring, doubled from the first to the last while nothing comes.
const POLL: (Duration, Duration) = (Duration::from_millis(20), RENEWAL);

/// Pauses after a failure, doubled from the first to the last.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// How long the database may take to answer; the server's own limit is shorter.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(15);

/// How often partitions are made ahead.
const PARTITION_UPKEEP: Duration = Duration::from_mins(10);

/// Who a relay is.
#[derive(Debug, Clone)]
pub struct Settings {
    /// A name no other live relay has.
    pub name: String,
    /// The database whose outbox it reads, for people and metrics.
    pub database: &'static str,
}

/// Why a step ended early.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The database did not do what was asked.
    #[error("the relay's database failed")]
    Database(#[from] sqlx::Error),
    /// The broker did not do what was asked.
    #[error("the relay's broker failed")]
    Broker(#[from] BrokerError),
    /// The leases could not be renewed in time: another relay may own the lanes by now.
    #[error("the relay's leases ended")]
    LeaseEnded,
    /// The broker still knows this relay's last connection, which could write behind the new one's back.
    #[error("the relay's last connection to the broker is not gone yet")]
    OldConnectionLives,
    /// The relay was told to stop while the broker would not take its messages.
    #[error("the relay was stopped before the broker took its messages")]
    Stopped,
}

/// A relay of one database.
#[derive(Debug)]
pub struct Relay {
    settings: Settings,
    pool: PgPool,
    broker: BrokerUrl,
    bell: Bell,
    metrics: Metrics,
    /// The one connection that everything is read and written over. Transaction numbers that were never committed may be
    /// given again after a crash of the server, so a cursor lives no longer than the connection it was read on.
    connection: Option<PoolConnection<Postgres>>,
    cursors: Cursors,
    publisher: Option<Publisher>,
    /// The fence of the connection under which the lanes are leased, also when that connection is gone.
    fence: Option<String>,
    /// Whether the others were told that this relay is there.
    joined: bool,
    /// The hand-overs rung when lanes were last looked for.
    hand_overs: u64,
    leases_hold_until: Instant,
    renew_at: Instant,
    write_back_at: Instant,
    partitions_at: Instant,
}

impl Relay {
    /// A relay that owns nothing yet.
    #[must_use]
    pub fn new(
        settings: Settings,
        pool: PgPool,
        broker: BrokerUrl,
        bell: Bell,
        metrics: Metrics,
    ) -> Self {
        let now = Instant::now();
        Self {
            settings,
            pool,
            broker,
            bell,
            metrics,
            connection: None,
            cursors: Cursors::default(),
            publisher: None,
            fence: None,
            joined: false,
            hand_overs: 0,
            leases_hold_until: now,
            renew_at: now,
            write_back_at: now,
            partitions_at: now,
        }
    }

    /// Publishes until stopped, through every outage; then finishes, writes back and gives its lanes up.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut retry = RETRY.0;
        let mut poll = POLL.0;
        let mut woken = None;
        while !stop.is_cancelled() {
            let begun = Instant::now();
            match self.turn(&stop).await {
                Ok(published) => {
                    retry = RETRY.0;
                    if published > 0 {
                        self.count_wakeup(woken.take());
                        poll = POLL.0;
                        tokio::time::sleep_until(begun + PACE).await;
                    } else {
                        let at_most =
                            poll.min(self.renew_at.saturating_duration_since(Instant::now()));
                        woken = stop.run_until_cancelled(self.bell.wait(at_most)).await;
                        poll = (poll * 2).min(POLL.1);
                    }
                }
                Err(RelayError::Stopped) => break,
                Err(error) => {
                    self.recover(&error).await;
                    stop.run_until_cancelled(tokio::time::sleep(retry)).await;
                    retry = (retry * 2).min(RETRY.1);
                }
            }
        }
        if let Err(error) = self.leave().await {
            tracing::warn!(
                relay = self.settings.name,
                error = &error as &dyn std::error::Error,
                "lanes were not given up; they are free when their leases end"
            );
        }
    }

    async fn turn(&mut self, stop: &CancellationToken) -> Result<usize, RelayError> {
        if Instant::now() >= self.renew_at || self.bell.hand_overs() != self.hand_overs {
            self.upkeep().await?;
        }
        let published = self.step(stop).await?;
        if Instant::now() >= self.write_back_at {
            self.write_back().await?;
        }
        Ok(published)
    }

    /// Reads one page, publishes it and waits until the broker has confirmed all of it; says how many events.
    pub async fn step(&mut self, stop: &CancellationToken) -> Result<usize, RelayError> {
        let Some(index) = self.cursors.next() else {
            return Ok(0);
        };
        fault_point::pass(FaultPoint::BeforeRead);
        let cursor = &self.cursors.0[index];
        let lanes = cursor.lanes();
        let connection = connected(&mut self.connection, &self.pool).await?;
        let (rows, until) = match &cursor.paging {
            Some(Paging {
                until,
                after_id: Some(after_id),
            }) => {
                let page =
                    outbox::read_page(connection, &lanes, &cursor.since, until, *after_id, PAGE);
                (in_time(page).await?, until.clone())
            }
            paging => {
                let until = paging.as_ref().map(|paging| &paging.until);
                let first = outbox::read_since(connection, &lanes, &cursor.since, until, PAGE);
                let Difference { rows, snapshot } = in_time(first).await?;
                if until.is_none() {
                    self.cursors.follow(&snapshot);
                }
                (rows, snapshot)
            }
        };
        let count = rows.len();
        if count > 0 {
            fault_point::pass(FaultPoint::AfterRead);
        }
        let full = i64::try_from(count).is_ok_and(|count| count >= PAGE);
        let last_id = rows.last().map(|row| row.id).filter(|_| full);
        self.publish(rows, stop).await?;
        // Lanes may have been lost meanwhile, and with them cursors before this one.
        let place = self.cursors.0.iter().position(|cursor| {
            cursor
                .leases
                .iter()
                .any(|lease| lanes.contains(&lease.lane))
        });
        if let Some(place) = place {
            self.cursors.0[place].dirty |= count > 0;
            self.cursors.advance(place, until, last_id);
        }
        Ok(count)
    }

    /// After a failure. Of the database: the lanes are taken again from where they were last written back. If the leases
    /// have ended meanwhile: nothing of ours may reach a queue any more.
    async fn recover(&mut self, error: &RelayError) {
        tracing::warn!(
            relay = self.settings.name,
            error = error as &dyn std::error::Error,
            "the relay was interrupted; trying again"
        );
        if let RelayError::Database(_) = error {
            self.cursors = Cursors::default();
            self.renew_at = Instant::now();
            // Closed, not given back: it may be in the middle of something.
            drop(self.connection.take().map(PoolConnection::detach));
        }
        if Instant::now() >= self.leases_hold_until {
            self.cursors = Cursors::default();
            self.show_lanes();
            if let Some(publisher) = self.publisher.take() {
                publisher.close().await;
            }
        }
    }

    fn count_wakeup(&self, source: Option<WokenBy>) {
        if let Some(source) = source {
            self.metrics
                .wakeups
                .get_or_create(&WakeupLabels {
                    channel: Channel::Outbox,
                    source,
                })
                .inc();
        }
    }
}

/// The connection in the slot, made if there is none.
async fn connected<'slot>(
    slot: &'slot mut Option<PoolConnection<Postgres>>,
    pool: &PgPool,
) -> Result<&'slot mut PgConnection, sqlx::Error> {
    let connection = match slot.take() {
        Some(connection) => connection,
        None => pool.acquire().await?,
    };
    Ok(slot.insert(connection))
}

/// A statement in bounded time, whatever becomes of the network: beyond the server's own limit.
async fn in_time<T>(
    statement: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    tokio::time::timeout(STATEMENT_TIMEOUT, statement)
        .await
        .unwrap_or_else(|elapsed| Err(sqlx::Error::Io(elapsed.into())))
}
