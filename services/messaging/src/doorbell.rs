//! The doorbell: tells readers of a table that something was committed. It only wakes; the truth is in the table.
//!
//! Within the process it is a signal; across processes it is `NOTIFY`, sent after the commit from a connection of its
//! own and coalesced, because inside the business transaction it would take a lock global to the server. Each process says
//! now and then that it is there, and who hears nobody else notifies nobody: the server would wake the sender's own
//! listener. Who has no listener may be hearing nobody for that reason, and notifies. Whoever waits also has a time limit,
//! so a lost ring costs a moment, never a message.

use std::{convert::Infallible, time::Duration};

use sqlx::{
    PgConnection, PgPool,
    postgres::{PgListener, PgNotification},
};
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, error::Elapsed, interval, timeout},
};
use tokio_util::sync::CancellationToken;

/// At most one notification in this time.
const COALESCE: Duration = Duration::from_millis(10);

/// How often a process says that it listens.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);

/// Another process is taken to listen for that long after it was last heard: two signs may be lost. A listener that hears
/// nothing for so long, not even its own process, has gone deaf.
const PRESENT_FOR: Duration = SIGN_OF_LIFE.saturating_mul(3);

/// The pause before a lost connection is made again.
const RECONNECT: Duration = Duration::from_secs(1);

/// What a notification that only says who listens begins with; its sender's mark follows.
const LISTENS: &str = "listens ";

/// What a notification carries when lanes change hands, and not rows.
pub(crate) const HAND_OVER: &str = "lanes";

/// What a doorbell is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Something was appended to the outbox.
    Outbox,
    /// An order changed its status.
    StatusHistory,
}

impl Channel {
    /// The notification channel's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Outbox => "gozon_outbox",
            Self::StatusHistory => "gozon_status_history",
        }
    }
}

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WokenBy {
    /// A ring from this process.
    Signal,
    /// A notification from another one.
    Notification,
    /// Nothing: the time was up.
    Poll,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Rings {
    signals: u64,
    notifications: u64,
    hand_overs: u64,
}

/// A doorbell; clones ring the same one.
#[derive(Debug, Clone)]
pub struct Doorbell {
    channel: Channel,
    /// What its notifications carry, so that it does not take them for another process's when they come back.
    mark: u64,
    rings: watch::Sender<Rings>,
    others: watch::Sender<Others>,
}

/// Whether other processes listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Others {
    /// This process does not listen itself, so it would not have heard of them.
    Unknown,
    /// One was heard, or may not have had its turn to speak yet: they are taken to be there until then.
    PresentUntil(Instant),
}

impl Others {
    fn heard_at(now: Instant) -> Self {
        Self::PresentUntil(now + PRESENT_FOR)
    }

    fn are_present_at(self, now: Instant) -> bool {
        match self {
            Self::Unknown => true,
            Self::PresentUntil(until) => now < until,
        }
    }
}

/// One listener of a doorbell. It remembers rings from before it waits.
#[derive(Debug)]
pub struct Bell {
    rings: watch::Receiver<Rings>,
    /// What the last wait knew of.
    known: Rings,
}

impl Doorbell {
    /// A doorbell within this process; [`Doorbell::run`] connects it to the others.
    #[must_use]
    pub fn new(channel: Channel) -> Self {
        Self {
            channel,
            mark: fastrand::u64(..),
            rings: watch::Sender::new(Rings::default()),
            others: watch::Sender::new(Others::Unknown),
        }
    }

    /// Wakes the listeners; to be called after the commit. Never blocks.
    pub fn ring(&self) {
        self.rings.send_modify(|rings| rings.signals += 1);
    }

    /// Wakes the listeners after a while, unless another ring of this process does before; to be called after the commit of
    /// what need not be found sooner. Never blocks. A process that stops meanwhile does not ring: others find it by looking.
    pub fn ring_within(&self, at_most: Duration) {
        let doorbell = self.clone();
        let signals = self.rings.borrow().signals;
        tokio::spawn(async move {
            tokio::time::sleep(at_most).await;
            if doorbell.rings.borrow().signals == signals {
                doorbell.ring();
            }
        });
    }

    /// A new listener.
    #[must_use]
    pub fn bell(&self) -> Bell {
        let mut rings = self.rings.subscribe();
        let known = *rings.borrow_and_update();
        Bell { rings, known }
    }

    /// Carries rings to other processes and theirs here, until stopped; takes two connections of the pool.
    pub async fn run(self, pool: PgPool, stop: CancellationToken) {
        let carry = async {
            tokio::join!(
                keep("notifier", || self.notify(&pool)),
                keep("listener", || self.listen(&pool))
            )
        };
        tokio::select! {
            _ = carry => {}
            () = stop.cancelled() => {}
        }
    }

    /// Says that this process listens, and rings where others do.
    async fn notify(&self, pool: &PgPool) -> Result<Infallible, sqlx::Error> {
        let mut rings = self.rings.subscribe();
        let mut connection = pool.acquire().await?;
        // When this ends the connection is lost: nobody is to be given it.
        connection.close_on_drop();
        let mut told = rings.borrow_and_update().signals;
        let mut sign_of_life = interval(SIGN_OF_LIFE);
        sign_of_life.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = sign_of_life.tick() => {
                    self.send(&mut connection, &format!("{LISTENS}{}", self.mark)).await?;
                }
                changed = rings.changed() => {
                    if changed.is_err() {
                        return Err(sqlx::Error::PoolClosed);
                    }
                    let signals = rings.borrow_and_update().signals;
                    if signals == std::mem::replace(&mut told, signals) || !self.others_listen() {
                        continue;
                    }
                    self.send(&mut connection, &self.mark.to_string()).await?;
                    tokio::time::sleep(COALESCE).await;
                }
            }
        }
    }

    async fn send(&self, connection: &mut PgConnection, payload: &str) -> Result<(), sqlx::Error> {
        let notify = sqlx::query!("select pg_notify($1, $2)", self.channel.as_str(), payload)
            .execute(connection);
        timeout(PRESENT_FOR, notify).await.map_err(silent)??;
        Ok(())
    }

    fn others_listen(&self) -> bool {
        self.others.borrow().are_present_at(Instant::now())
    }

    async fn listen(&self, pool: &PgPool) -> Result<Infallible, sqlx::Error> {
        let heard = self.hear(pool).await;
        self.others.send_replace(Others::Unknown);
        heard
    }

    async fn hear(&self, pool: &PgPool) -> Result<Infallible, sqlx::Error> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(self.channel.as_str()).await?;
        self.others.send_replace(Others::heard_at(Instant::now()));
        // What was committed while nobody listened is found by this ring.
        self.rings.send_modify(|rings| rings.notifications += 1);
        loop {
            // None: the connection was lost and made again, and with it perhaps a ring.
            let notification = timeout(PRESENT_FOR, listener.try_recv())
                .await
                .map_err(silent)??;
            let payload = notification.as_ref().map(PgNotification::payload);
            let only_listens = payload.and_then(|payload| payload.strip_prefix(LISTENS));
            if only_listens.or(payload) == Some(self.mark.to_string().as_str()) {
                continue;
            }
            let was_alone = !self.others_listen();
            self.others.send_replace(Others::heard_at(Instant::now()));
            if was_alone {
                // What was rung since it came, and before it was heard, it may have missed.
                self.ring();
            }
            if only_listens.is_some() {
                continue;
            }
            self.rings.send_modify(|rings| {
                rings.notifications += 1;
                rings.hand_overs += u64::from(payload == Some(HAND_OVER));
            });
        }
    }
}

/// A connection over which nothing came for too long.
fn silent(elapsed: Elapsed) -> sqlx::Error {
    sqlx::Error::Io(elapsed.into())
}

/// Runs a connection's work again and again, with a pause after each failure.
async fn keep<F: Future<Output = Result<Infallible, sqlx::Error>>>(
    what: &'static str,
    work: impl Fn() -> F,
) {
    loop {
        let Err(error) = work().await;
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the doorbell's {what} lost its connection"
        );
        tokio::time::sleep(RECONNECT).await;
    }
}

impl Bell {
    /// Counts the notifications that told of lanes to be taken or given up.
    #[must_use]
    pub fn hand_overs(&self) -> u64 {
        self.rings.borrow().hand_overs
    }

    /// Waits for a ring since the last wait, but not longer than `at_most`.
    pub async fn wait(&mut self, at_most: Duration) -> WokenBy {
        let changed = timeout(at_most, self.rings.changed()).await;
        if !matches!(changed, Ok(Ok(()))) {
            return WokenBy::Poll;
        }
        let now = *self.rings.borrow_and_update();
        let before = std::mem::replace(&mut self.known, now);
        if now.signals == before.signals {
            WokenBy::Notification
        } else {
            WokenBy::Signal
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    #[tokio::test]
    async fn a_ring_before_the_wait_is_not_lost() {
        let doorbell = Doorbell::new(Channel::Outbox);
        let mut bell = doorbell.bell();
        doorbell.ring();
        assert_eq!(bell.wait(LONG).await, WokenBy::Signal);
    }

    #[tokio::test]
    async fn a_notification_before_the_wait_is_told_from_a_signal() {
        let doorbell = Doorbell::new(Channel::Outbox);
        let mut bell = doorbell.bell();
        doorbell.rings.send_modify(|rings| rings.notifications += 1);
        assert_eq!(bell.wait(LONG).await, WokenBy::Notification);
        doorbell.ring();
        assert_eq!(bell.wait(LONG).await, WokenBy::Signal);
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_wait_rings_in_time_or_goes_with_an_earlier_ring() {
        const WHILE: Duration = Duration::from_millis(25);
        let doorbell = Doorbell::new(Channel::Outbox);
        let mut bell = doorbell.bell();
        let began = tokio::time::Instant::now();
        doorbell.ring_within(WHILE);
        assert_eq!(bell.wait(LONG).await, WokenBy::Signal);
        assert_eq!(began.elapsed(), WHILE);
        doorbell.ring_within(WHILE);
        doorbell.ring();
        assert_eq!(bell.wait(LONG).await, WokenBy::Signal);
        assert_eq!(bell.wait(2 * WHILE).await, WokenBy::Poll);
    }

    #[test]
    fn who_does_not_listen_or_has_just_begun_to_takes_others_to_be_there() {
        let now = Instant::now();
        assert!(Others::Unknown.are_present_at(now + LONG));
        let heard = Others::heard_at(now);
        assert!(heard.are_present_at(now + PRESENT_FOR - Duration::from_nanos(1)));
        assert!(!heard.are_present_at(now + PRESENT_FOR));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_ring_the_wait_ends_in_time() {
        let doorbell = Doorbell::new(Channel::Outbox);
        assert_eq!(doorbell.bell().wait(LONG).await, WokenBy::Poll);
    }
}
