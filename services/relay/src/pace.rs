//! How soon to read again: at once while little comes, and a moment later when much does.
//!
//! Each batch costs the same on every hop, whatever is in it. Above a few hundred events per second, waiting a moment
//! between two reads makes few batches of many; below, it would only add latency.

use std::time::Duration;

use tokio::time::Instant;

/// From this rate on, in events per second, reads are spaced.
const BUSY: f64 = 300.0;

/// The time between the starts of two reads when busy.
const LINGER: Duration = Duration::from_millis(3);

/// Over which time the rate is averaged.
const MEMORY: Duration = Duration::from_millis(100);

/// The pace of reading.
#[derive(Debug)]
pub(crate) struct Pace {
    last: Instant,
    rate: f64,
}

impl Pace {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            last: now,
            rate: 0.0,
        }
    }

    /// A read that began at `now` found so many events.
    pub(crate) fn read(&mut self, now: Instant, events: usize) {
        let passed = now
            .saturating_duration_since(self.last)
            .max(Duration::from_micros(100));
        let events = f64::from(u32::try_from(events).unwrap_or(u32::MAX));
        let weight = (passed.as_secs_f64() / MEMORY.as_secs_f64()).min(1.0);
        self.rate += (events / passed.as_secs_f64() - self.rate) * weight;
        self.last = now;
    }

    /// The earliest instant for the next read.
    pub(crate) fn next(&self) -> Instant {
        if self.rate > BUSY {
            self.last + LINGER
        } else {
            self.last
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(events_per_read: usize, gap: Duration) -> Pace {
        let mut now = Instant::now();
        let mut pace = Pace::new(now);
        for _ in 0..1_000 {
            now += gap;
            pace.read(now, events_per_read);
        }
        pace
    }

    #[test]
    fn a_low_rate_waits_for_nothing() {
        let pace = after(1, Duration::from_millis(10));
        assert_eq!(pace.next(), pace.last);
    }

    #[test]
    fn a_high_rate_spaces_reads() {
        let pace = after(5, Duration::from_millis(2));
        assert_eq!(pace.next(), pace.last + LINGER);
    }
}
