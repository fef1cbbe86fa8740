//! How long an order that was just placed waits to be told together with its decision.
//!
//! Whoever placed it knows it from the answer, so a frame of its own for NEW serves other tabs alone; and where decisions
//! take longer because there is much to do, twice as many frames are what there is least time for. So the hold follows the
//! time that decisions took of late.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::limits;

/// How much of the average the last decision is: one part in so many.
const WEIGHT: u64 = 16;

/// The average of the times from placing an order to deciding it, in microseconds. One task learns, all sockets read.
#[derive(Debug, Default)]
pub(crate) struct Hold(AtomicU64);

impl Hold {
    /// An order was decided so long after it was placed.
    pub(crate) fn learn(&self, took: Duration) {
        let took = micros(took.min(*limits::NEW_ORDER_HOLD.end()));
        let usual = self.0.load(Ordering::Relaxed);
        let kept = usual - usual / WEIGHT;
        self.0.store(kept + took / WEIGHT, Ordering::Relaxed);
    }

    /// Long enough for most orders to be decided meanwhile, within the limits.
    pub(crate) fn get(&self) -> Duration {
        let usual = Duration::from_micros(self.0.load(Ordering::Relaxed));
        (2 * usual).clamp(
            *limits::NEW_ORDER_HOLD.start(),
            *limits::NEW_ORDER_HOLD.end(),
        )
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: Duration = *limits::NEW_ORDER_HOLD.start();

    fn after(decisions: usize, took: Duration) -> Duration {
        let hold = Hold::default();
        for _ in 0..decisions {
            hold.learn(took);
        }
        hold.get()
    }

    #[test]
    fn the_hold_follows_what_decisions_take_within_its_limits() {
        assert_eq!(after(0, Duration::ZERO), LEAST);
        assert_eq!(after(1_000, Duration::from_millis(10)), LEAST);
        let busy = after(1_000, Duration::from_millis(150));
        assert!(busy.abs_diff(Duration::from_millis(300)) < Duration::from_millis(1));
        let stuck = after(1_000, Duration::from_hours(1));
        assert_eq!(stuck, *limits::NEW_ORDER_HOLD.end());
    }

    #[test]
    fn a_single_late_decision_changes_little() {
        let hold = after(1, Duration::from_hours(1));
        assert!(hold <= 2 * LEAST, "{hold:?}");
    }
}
