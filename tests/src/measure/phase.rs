//! One phase of load: what is asked of the generator, on its command line or, in a longer conversation, as JSON.

use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};

/// How customers order, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
pub struct Phase {
    /// Closed loop: orders in flight at once
    #[arg(long, default_value_t = 512)]
    pub in_flight: usize,
    /// Open loop instead: orders due each second, on a fixed schedule
    #[arg(long)]
    pub rate: Option<u32>,
    /// How long to measure
    #[arg(long, default_value_t = 10)]
    pub seconds: u32,
    /// How long to run before that, in seconds
    #[arg(long, default_value_t = 3)]
    pub warm_up: u32,
    /// Place all orders on the first account
    #[arg(long)]
    pub hot: bool,
}

impl Phase {
    /// So many orders in flight, measured for so many seconds after a short warm-up.
    #[must_use]
    pub const fn closed(in_flight: usize, seconds: u32) -> Self {
        Self {
            in_flight,
            rate: None,
            seconds,
            warm_up: 2,
            hot: false,
        }
    }

    /// So many orders due each second, measured for so many seconds after a short warm-up.
    #[must_use]
    pub const fn open(rate: u32, seconds: u32) -> Self {
        Self {
            rate: Some(rate),
            ..Self::closed(1, seconds)
        }
    }

    /// How long to measure.
    #[must_use]
    pub fn measured(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }

    /// How long to run before that.
    #[must_use]
    pub fn warm_up(&self) -> Duration {
        Duration::from_secs(self.warm_up.into())
    }

    /// What makes no sense, if anything does not.
    #[must_use]
    pub fn flaw(&self) -> Option<&'static str> {
        if self.in_flight == 0 {
            Some("at least one order must be in flight")
        } else if self.rate == Some(0) {
            Some("the rate must be at least one order a second")
        } else if self.seconds == 0 {
            Some("at least one second must be measured")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_without_orders_or_time_is_flawed() {
        assert_eq!(Phase::closed(1, 1).flaw(), None);
        assert_eq!(Phase::open(1, 1).flaw(), None);
        for phase in [Phase::closed(0, 1), Phase::closed(1, 0), Phase::open(0, 1)] {
            assert!(phase.flaw().is_some(), "{phase:?}");
        }
    }

    #[test]
    fn a_phase_survives_the_way_to_another_process() {
        let phase = Phase::open(4_000, 20);
        let text = serde_json::to_string(&phase).unwrap();
        assert_eq!(serde_json::from_str::<Phase>(&text).unwrap(), phase);
    }
}
