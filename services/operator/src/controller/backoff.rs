//! How long a failed reconcile waits: for each resource by itself, twice as long each time, and when it is due.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// The first pause.
const FIRST: Duration = Duration::from_secs(1);

/// How often it doubles: up to a minute and four seconds.
const DOUBLINGS: u32 = 6;

/// The pauses of all resources of a kind, by name.
#[derive(Debug, Default)]
pub(crate) struct Backoffs(Mutex<HashMap<String, Entry>>);

#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    failures: u32,
    due: Option<Instant>,
}

impl Backoffs {
    /// A reconcile begins: how late, where it was due.
    pub(super) fn begin(&self, name: &str) -> Option<Duration> {
        let due = self.entries().get_mut(name)?.due.take()?;
        // Before it was due somebody has changed the resource, and it waited for nothing.
        Instant::now().checked_duration_since(due)
    }

    pub(super) fn succeeded(&self, name: &str, again: Duration) {
        let entry = Entry {
            failures: 0,
            due: Some(Instant::now() + again),
        };
        self.entries().insert(name.to_owned(), entry);
    }

    pub(super) fn failed(&self, name: &str) -> Duration {
        let mut entries = self.entries();
        let entry = entries.entry(name.to_owned()).or_default();
        let pause = FIRST * 2_u32.pow(entry.failures.min(DOUBLINGS));
        entry.failures += 1;
        entry.due = Some(Instant::now() + pause);
        pause
    }

    pub(super) fn forget(&self, name: &str) {
        self.entries().remove(name);
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_doubles_up_to_a_limit_and_is_of_one_resource_alone() {
        let backoffs = Backoffs::default();
        let pauses: Vec<_> = (0..9).map(|_| backoffs.failed("a").as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 64, 64]);
        assert_eq!(backoffs.failed("b").as_secs(), 1);
        backoffs.succeeded("a", Duration::ZERO);
        assert_eq!(backoffs.failed("a").as_secs(), 1);
    }
}
