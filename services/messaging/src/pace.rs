//! How soon to begin the next batch: at once while events come alone, and a moment later when they come together.
//!
//! Each batch costs the same on every hop, whatever is in it: some milliseconds of processor time from intake to push.
//! Where events keep each other company, waiting a moment makes few batches of many; an event that comes alone would only
//! wait in vain, and so would a client that places one order after the other.

use std::time::Duration;

use tokio::time::Instant;

/// From this many events per batch on, on average, batches are spaced.
const COMPANY: f64 = 1.5;

/// How much of the average the last batch is.
const WEIGHT: f64 = 0.125;

/// The pace of batches.
#[derive(Debug)]
pub struct Pace {
    spacing: Duration,
    begun: Instant,
    events_per_batch: f64,
}

impl Pace {
    /// A pace that begins batches `spacing` apart where events come together.
    #[must_use]
    pub const fn new(spacing: Duration, now: Instant) -> Self {
        Self {
            spacing,
            begun: now,
            events_per_batch: 1.0,
        }
    }

    /// A batch that began at `now` has so many events; an empty one says nothing.
    pub fn began(&mut self, now: Instant, events: usize) {
        self.begun = now;
        if events > 0 {
            let events = f64::from(u32::try_from(events).unwrap_or(u32::MAX));
            self.events_per_batch += (events - self.events_per_batch) * WEIGHT;
        }
    }

    /// Whether events come together.
    #[must_use]
    pub const fn has_company(&self) -> bool {
        self.events_per_batch >= COMPANY
    }

    /// The earliest instant for the next batch.
    #[must_use]
    pub fn next(&self) -> Instant {
        if self.has_company() {
            self.begun + self.spacing
        } else {
            self.begun
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACING: Duration = Duration::from_millis(3);

    fn after(events_per_batch: impl IntoIterator<Item = usize>) -> Pace {
        let now = Instant::now();
        let mut pace = Pace::new(SPACING, now);
        for events in events_per_batch {
            pace.began(now, events);
        }
        pace
    }

    #[test]
    fn events_that_come_alone_wait_for_nothing_however_fast_they_come() {
        let pace = after([1; 1_000]);
        assert_eq!(pace.next(), pace.begun);
    }

    #[test]
    fn events_that_come_together_are_spaced_until_they_come_alone_again() {
        let together = after([5; 10]);
        assert_eq!(together.next(), together.begun + SPACING);
        let looked_in_vain = after([5; 10].into_iter().chain([0; 1_000]));
        assert_eq!(looked_in_vain.next(), looked_in_vain.begun + SPACING);
        let alone = after([5; 10].into_iter().chain([1; 100]));
        assert_eq!(alone.next(), alone.begun);
    }
}
