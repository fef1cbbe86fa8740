//! How the outbox looked when it was last read, and what that says now.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use messaging::outbox::Unpublished;
use tokio::time::Instant;

use crate::limits;

/// The outbox as this replica knows it.
#[derive(Debug)]
pub(crate) struct OutboxView(Mutex<Seen>);

#[derive(Debug)]
struct Seen {
    /// The age of the oldest unpublished event when it was read; none when there was none.
    age: Option<Duration>,
    read_at: Instant,
    settled: i64,
    decided: u64,
    moved_at: Instant,
}

/// The outbox at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outbox {
    /// The age of its oldest unpublished event.
    pub(crate) age: Duration,
    /// Whether the broker takes its events.
    pub(crate) moves: bool,
}

impl OutboxView {
    /// An outbox that nobody has looked at: empty, and not standing still yet.
    pub(crate) const fn new(now: Instant) -> Self {
        Self(Mutex::new(Seen {
            age: None,
            read_at: now,
            settled: 0,
            decided: 0,
            moved_at: now,
        }))
    }

    /// Takes a reading. What moved is told by the lanes' settled places and, in the middle of a large difference where
    /// those stand still, by decisions that keep coming.
    pub(crate) fn see(&self, reading: &Unpublished, decided: u64, now: Instant) {
        let mut seen = self.lock();
        let age = reading.oldest.map(|oldest| {
            let age = reading.now - oldest;
            // Below zero where a transaction began after this statement did.
            age.try_into().unwrap_or(Duration::ZERO)
        });
        if age.is_none() || seen.settled != reading.settled || seen.decided != decided {
            seen.moved_at = now;
        }
        *seen = Seen {
            age,
            read_at: now,
            settled: reading.settled,
            decided,
            moved_at: seen.moved_at,
        };
    }

    /// What the last reading says at this instant: an event that was unpublished then is taken for it still.
    pub(crate) fn at(&self, now: Instant) -> Outbox {
        let seen = self.lock();
        let since_read = now.saturating_duration_since(seen.read_at);
        Outbox {
            age: seen.age.map_or(Duration::ZERO, |age| age + since_read),
            moves: now.saturating_duration_since(seen.moved_at) < limits::OUTBOX_STANDS_STILL,
        }
    }

    /// Held for a few instructions without a panic in them.
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
