//! The board of orders whose end has not been pushed yet.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
};

use tokio::{sync::oneshot, time::Instant};
use uuid::Uuid;

/// The end of an order as its customer saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) at: Instant,
    /// Paid; otherwise cancelled.
    pub(crate) finished: bool,
}

impl End {
    /// Of an order that is not followed: it counts when it is accepted.
    pub(crate) const fn unknown(at: Instant) -> Self {
        Self {
            at,
            finished: false,
        }
    }
}

/// Orders by id: somebody waits for the end, or the end was there first.
#[derive(Debug, Default)]
pub(crate) struct Board(Mutex<HashMap<Uuid, Entry>>);

#[derive(Debug)]
enum Entry {
    Awaited(oneshot::Sender<End>),
    /// The push overtook the answer to the POST, which comes over another connection.
    Early(End),
}

impl Board {
    /// An order's end was pushed.
    pub(crate) fn pushed(&self, order: Uuid, end: End) {
        let mut entries = self.entries();
        match entries.remove(&order) {
            // Whoever waited may have given up.
            Some(Entry::Awaited(waiting)) => drop(waiting.send(end)),
            // The first push counts.
            Some(early @ Entry::Early(_)) => drop(entries.insert(order, early)),
            None => drop(entries.insert(order, Entry::Early(end))),
        }
    }

    /// Waits for the end of an order. Whoever calls bounds the wait.
    pub(crate) async fn end_of(&self, order: Uuid) -> Option<End> {
        let waiting = {
            let mut entries = self.entries();
            match entries.remove(&order) {
                Some(Entry::Early(end)) => return Some(end),
                // The same order twice cannot be: each POST has a key of its own.
                Some(Entry::Awaited(_)) => return None,
                None => {
                    let (sender, receiver) = oneshot::channel();
                    entries.insert(order, Entry::Awaited(sender));
                    receiver
                }
            }
        };
        waiting.await.ok()
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<Uuid, Entry>> {
        self.0
            .lock()
            .expect("nothing panics while it holds the board")
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, time::Duration};

    use tokio::time::timeout;

    use super::*;

    fn end(finished: bool) -> End {
        End {
            at: Instant::now(),
            finished,
        }
    }

    #[tokio::test]
    async fn a_push_finds_whoever_waits() {
        let board = Board::default();
        let (order, end) = (Uuid::new_v4(), end(true));
        let mut waiting = pin!(board.end_of(order));
        tokio::select! {
            biased;
            _ = &mut waiting => panic!("nothing was pushed"),
            () = std::future::ready(()) => board.pushed(order, end),
        }
        assert_eq!(waiting.await, Some(end));
        assert!(board.entries().is_empty());
    }

    #[tokio::test]
    async fn a_push_that_overtakes_the_answer_is_kept_and_the_first_counts() {
        let board = Board::default();
        let (order, first) = (Uuid::new_v4(), end(true));
        board.pushed(order, first);
        board.pushed(order, end(false));
        let waiting = timeout(Duration::from_secs(1), board.end_of(order));
        assert_eq!(waiting.await, Ok(Some(first)));
        assert!(board.entries().is_empty());
    }
}
