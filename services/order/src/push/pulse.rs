//! The pulse of a socket: when to ping, and when the peer is to be taken for dead.

use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::limits;

/// Pings at an interval and remembers whether anything came back.
#[derive(Debug)]
pub(crate) struct Pulse {
    interval: Interval,
    heard: bool,
}

/// What a beat of the pulse asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Beat {
    /// Ping the peer.
    Ping,
    /// Nothing came back since the last ping.
    Dead,
}

impl Pulse {
    pub(crate) fn new() -> Self {
        let mut interval = interval(limits::PING_EVERY);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        interval.reset();
        Self {
            interval,
            heard: true,
        }
    }

    /// Something came from the peer.
    pub(crate) fn hear(&mut self) {
        self.heard = true;
    }

    /// Waits for the next beat.
    pub(crate) async fn beat(&mut self) -> Beat {
        self.interval.tick().await;
        if std::mem::take(&mut self.heard) {
            Beat::Ping
        } else {
            Beat::Dead
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_answers_is_pinged_every_twenty_seconds() {
        let begun = Instant::now();
        let mut pulse = Pulse::new();
        for ping in 1..=3 {
            assert_eq!(pulse.beat().await, Beat::Ping);
            assert_eq!(begun.elapsed().as_secs(), 20 * ping);
            pulse.hear();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_is_silent_after_a_ping_is_dead() {
        let mut pulse = Pulse::new();
        assert_eq!(pulse.beat().await, Beat::Ping);
        assert_eq!(pulse.beat().await, Beat::Dead);
    }
}
