//! One relay: leases lanes, publishes what is new in them, and gives them back.

/// Runs a statement over the relay's connection, publishing meanwhile, for as long as the leases hold.
macro_rules! statement {
    ($relay:expr, $connection:ident, $statement:expr) => {{
        let deadline = $relay.deadline();
        let $connection = connected(&mut $relay.connection, &$relay.pool).await?;
        meanwhile(&mut $relay.line, deadline, in_time($statement)).await??
    }};
}

mod flow;
mod lanes;
mod tables;

use std::time::Duration;

use messaging::{
    broker::{BrokerError, BrokerUrl},
    doorbell::{Bell, Channel, WokenBy},
    lane::LANES,
    lease::{self, RENEWAL},
    metrics::{Metrics, WakeupLabels},
    outbox::Mark,
    pace::Pace,
};
use sqlx::{PgConnection, PgPool, Postgres, pool::PoolConnection};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::tables::TableUpkeep;
use crate::{cursor::Cursors, line::Line, metrics::Durations};

/// The most rows read at once; no more are read while as many wait to be published.
const PAGE: i64 = 2_000;

/// The most rows that wait in memory, those of resting types included.
const MOST_WAITING: usize = 50_000;

/// At most one write-back in this time while events flow.
const WRITE_BACK: Duration = Duration::from_millis(500);

/// A write-back without events, so that retention sees that nothing is pending.
const IDLE_WRITE_BACK: Duration = Duration::from_secs(30);

/// How long to wait for a ring, doubled from the first to the last while nothing comes.
const POLL: (Duration, Duration) = (Duration::from_millis(20), RENEWAL);

/// The time between the starts of two reads while events come together.
const LINGER: Duration = Duration::from_millis(4);

/// Pauses after a failure, doubled from the first to the last.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// How often a broker that blocks publishing is looked at.
const BLOCKED: Duration = Duration::from_millis(100);

/// How long the database may take to answer; the server's own limit is shorter.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(15);

/// How long the next confirm is waited for before lanes are given up: a broker that is slow is not one that is silent.
const LAST_CONFIRMS: Duration = Duration::from_secs(3);

/// How long all confirms are waited for then, however steadily they come: a process that stops has a grace period for
/// everything.
const LONGEST_DRAIN: Duration = Duration::from_secs(8);

/// Who a relay is.
#[derive(Debug, Clone)]
pub struct Settings {
    /// A name no other live relay has.
    pub name: String,
    /// The database whose outbox it reads, for people and metrics.
    pub database: &'static str,
    /// The most events it puts into one AMQP message, 1 to [`crate::EVENTS_PER_MESSAGE`].
    pub events_per_message: u16,
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
    durations: Durations,
    /// The one connection that everything is read and written over. Transaction numbers that were never committed may be
    /// given again after a crash of the server, so a cursor lives no longer than the connection it was read on.
    connection: Option<PoolConnection<Postgres>>,
    cursors: Cursors,
    line: Line,
    /// The fence of the connection under which the lanes are leased, also when that connection is gone.
    fence: Option<String>,
    /// How many lanes each relay should own, when this was last looked at.
    share: usize,
    /// Whether the others were told that this relay is there.
    joined: bool,
    /// The hand-overs rung when lanes were last looked for.
    hand_overs: u64,
    /// The number of the last read.
    reads: u64,
    /// A moment by which positions learn their ids.
    mark: Option<Mark>,
    pace: Pace,
    leases_hold_until: Instant,
    renew_at: Instant,
    write_back_at: Instant,
    declare_at: Instant,
    tables: TableUpkeep,
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
        let line = Line::new(&settings, &metrics);
        Self {
            durations: Durations::new(&metrics, settings.database),
            settings,
            pool,
            broker,
            bell,
            metrics,
            connection: None,
            cursors: Cursors::default(),
            line,
            fence: None,
            share: usize::from(LANES),
            joined: false,
            hand_overs: 0,
            reads: 0,
            mark: None,
            pace: Pace::new(LINGER, now),
            leases_hold_until: now,
            renew_at: now,
            write_back_at: now,
            declare_at: now,
            tables: TableUpkeep::due(now),
        }
    }

    /// Publishes until stopped, through every outage; then finishes, writes back and gives its lanes up.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut retry = RETRY.0;
        let mut poll = POLL.0;
        let mut woken = None;
        while !stop.is_cancelled() {
            match self.turn().await {
                Ok(page) => {
                    retry = RETRY.0;
                    if page.rows > 0 {
                        self.count_wakeup(woken.take());
                        poll = POLL.0;
                    }
                    if !page.more || !self.has_room() {
                        woken = self.wait(poll, &stop).await.or(woken);
                        poll = (poll * 2).min(POLL.1);
                    }
                }
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

    /// After a failure. Of the database, or if the leases have ended meanwhile: the lanes are taken again, from where they
    /// were last written back and over a new connection.
    async fn recover(&mut self, error: &RelayError) {
        tracing::warn!(
            relay = self.settings.name,
            error = error as &dyn std::error::Error,
            "the relay was interrupted; trying again"
        );
        let leases_ended = Instant::now() >= self.leases_hold_until;
        if leases_ended || matches!(error, RelayError::Database(_) | RelayError::LeaseEnded) {
            self.cursors = Cursors::default();
            self.line.clear();
            self.mark = None;
            self.renew_at = Instant::now();
            // Closed, not given back: it may be in the middle of something.
            drop(self.connection.take().map(PoolConnection::detach));
            // What is under way on this connection is forgotten, so no lane may be given up while it can still arrive; and
            // while its fence stands nobody else may take a lane that this relay does not take again.
            if let Some(publisher) = self.line.publisher.take() {
                publisher.close().await;
            }
        }
        if self.cursors.lanes_owned() == 0 && matches!(error, RelayError::Broker(_)) {
            self.tell().await;
        }
        self.show_lanes();
        self.line.show();
    }

    /// Tells that the broker is away where no heartbeat does: a relay without lanes shows none until it can publish.
    async fn tell(&mut self) {
        let report = self.line.report();
        let telling = async {
            let connection = connected(&mut self.connection, &self.pool).await?;
            in_time(lease::tell(connection, &self.settings.name, report)).await
        };
        if let Err(error) = telling.await {
            drop(self.connection.take().map(PoolConnection::detach));
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "nobody could be told that the broker is away"
            );
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

#[cfg(test)]
mod tests;
