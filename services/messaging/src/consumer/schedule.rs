//! When things are tried again: a parameter, so that a test need not wait as long as production does.

use std::time::Duration;

/// When things are tried again. [`Schedule::default`] is production's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The pause before a deferred event's second attempt; doubled before each later one.
    pub first_delay: Duration,
    /// The longest pause between two attempts.
    pub longest_delay: Duration,
    /// After this many attempts a deferred event becomes a dead letter; at least 1.
    pub max_attempts: i32,
    /// How often is looked for deferred events and redriven letters that are due.
    pub poll: Duration,
    /// How long deliveries are kept while the database is away; then they go back to the queue.
    pub keep_deliveries: Duration,
    /// How long a subscription that delivers nothing is trusted before it is made anew. The broker's word that a queue is
    /// gone can be lost: 3.10 was seen to say nothing when one was deleted 18 ms after it was subscribed to, and made again.
    pub trust: Duration,
}

impl Default for Schedule {
    /// Twelve attempts, with pauses of 1 s to 5 min, 18 minutes in all: longer than a restart or a failover of the
    /// database, shorter than an operator's patience. Deliveries are kept for 10 minutes, well within the 30 after which
    /// the broker takes them back by itself.
    fn default() -> Self {
        Self {
            first_delay: Duration::from_secs(1),
            longest_delay: Duration::from_mins(5),
            max_attempts: 12,
            poll: Duration::from_secs(1),
            keep_deliveries: Duration::from_mins(10),
            trust: Duration::from_secs(10),
        }
    }
}

impl Schedule {
    /// The pause after so many attempts.
    pub(super) fn delay(&self, attempts: i32) -> Duration {
        let doublings = u32::try_from(attempts.clamp(1, 31) - 1).expect("between 0 and 30");
        self.first_delay
            .saturating_mul(1 << doublings)
            .min(self.longest_delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let schedule = Schedule::default();
        let seconds: Vec<_> = [i32::MIN, 0, 1, 2, 3, 9, 10, 11, i32::MAX]
            .map(|attempts| schedule.delay(attempts).as_secs())
            .into();
        assert_eq!(seconds, [1, 1, 1, 2, 4, 256, 300, 300, 300]);
    }
}
