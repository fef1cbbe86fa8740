//! How many messages may be unconfirmed: as many as keep the broker busy, and hardly more.
//!
//! The rule is that of TCP Vegas (Brakmo and Peterson, "TCP Vegas: End to End Congestion Avoidance on a Global Internet",
//! 1995). The shortest round trip seen lately is what the way costs without a queue; what a round trip takes longer, the
//! messages spent waiting in the broker: `queued = window * (1 - shortest / mean)`. Once per window's worth of confirms,
//! the window grows by one while fewer than [`FEW`] wait and shrinks by one when more than [`MANY`] do. Until it has first
//! met a queue it doubles, as in slow start. A refusal or silence halves it.

use std::time::Duration;

/// The fewest unconfirmed messages.
pub(crate) const LEAST: usize = 4;

/// The most unconfirmed messages; of 100 KiB each, so this also bounds memory.
pub(crate) const MOST: usize = 64;

/// Fewer messages than this waiting in the broker leave it idle at times.
const FEW: f64 = 4.0;

/// More messages than this waiting in the broker only add latency.
const MANY: f64 = 12.0;

/// For how many rounds the shortest round trip is remembered: a broker that became slower for good is believed.
const MEMORY_ROUNDS: u32 = 200;

/// The window.
#[derive(Debug)]
pub(crate) struct Window {
    size: usize,
    shortest: Duration,
    rounds: u32,
    sum: Duration,
    confirms: usize,
    was_full: bool,
    has_met_a_queue: bool,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            size: LEAST,
            shortest: Duration::MAX,
            rounds: 0,
            sum: Duration::ZERO,
            confirms: 0,
            was_full: false,
            has_met_a_queue: false,
        }
    }
}

impl Window {
    /// How many messages may be unconfirmed.
    pub(crate) const fn size(&self) -> usize {
        self.size
    }

    /// The window is full: only then is there a reason for it to grow.
    pub(crate) const fn filled(&mut self) {
        self.was_full = true;
    }

    /// A message was confirmed after so long.
    pub(crate) fn confirmed(&mut self, after: Duration) {
        self.shortest = self.shortest.min(after);
        self.sum += after;
        self.confirms += 1;
        if self.confirms >= self.size {
            self.end_round();
        }
    }

    /// A message was refused or not answered.
    pub(crate) fn refused(&mut self) {
        self.size = (self.size / 2).max(LEAST);
        self.has_met_a_queue = true;
        self.begin_round();
    }

    fn end_round(&mut self) {
        let confirms = u32::try_from(self.confirms).expect("a round has few confirms");
        let mean = self.sum / confirms;
        let size = f64::from(u32::try_from(self.size).expect("a window is small"));
        let queued = size * (1.0 - self.shortest.as_secs_f64() / mean.as_secs_f64().max(1e-9));
        if queued > MANY {
            self.has_met_a_queue = true;
            self.size -= 1;
        } else if self.was_full && queued < FEW {
            self.size = if self.has_met_a_queue {
                self.size + 1
            } else {
                self.size * 2
            };
        } else if self.was_full {
            self.has_met_a_queue = true;
        }
        self.size = self.size.clamp(LEAST, MOST);
        self.rounds += 1;
        if self.rounds == MEMORY_ROUNDS {
            self.rounds = 0;
            self.shortest = mean;
        }
        self.begin_round();
    }

    const fn begin_round(&mut self) {
        self.sum = Duration::ZERO;
        self.confirms = 0;
        self.was_full = false;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A broker that stores a message in `service` after `way`, one after the other: what a full window then sees.
    fn run(window: &mut Window, way: Duration, service: Duration, confirms: usize) {
        for _ in 0..confirms {
            window.filled();
            let queue = service * u32::try_from(window.size()).unwrap();
            window.confirmed(way.max(queue) + service);
        }
    }

    #[test]
    fn it_grows_while_confirms_come_quickly_and_stops_where_they_queue() {
        let mut window = Window::default();
        run(
            &mut window,
            Duration::from_millis(20),
            Duration::from_millis(1),
            2_000,
        );
        let settled = window.size();
        assert!((20..=36).contains(&settled), "{settled}");
    }

    #[test]
    fn it_shrinks_when_confirms_slow_down() {
        let mut window = Window::default();
        run(
            &mut window,
            Duration::from_millis(20),
            Duration::from_millis(1),
            2_000,
        );
        let before = window.size();
        run(
            &mut window,
            Duration::from_millis(20),
            Duration::from_millis(10),
            500,
        );
        assert!(window.size() < before, "{before} -> {}", window.size());
    }

    #[test]
    fn it_does_not_grow_while_it_is_not_full() {
        let mut window = Window::default();
        for _ in 0..1_000 {
            window.confirmed(Duration::from_millis(1));
        }
        assert_eq!(window.size(), LEAST);
    }

    proptest! {
        #[test]
        fn it_stays_within_its_bounds(
            answers in prop::collection::vec((any::<bool>(), any::<bool>(), 0_u64..10_000_000), 0..2_000)
        ) {
            let mut window = Window::default();
            for (full, refused, micros) in answers {
                if full {
                    window.filled();
                }
                if refused && micros % 10 == 0 {
                    window.refused();
                } else {
                    window.confirmed(Duration::from_micros(micros));
                }
                prop_assert!((LEAST..=MOST).contains(&window.size()));
            }
        }
    }
}
