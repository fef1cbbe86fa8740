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
    /// Count an order when it is accepted, and do not wait for its end
    #[arg(long)]
    pub unfollowed: bool,
    /// Place nothing, but watch until this many orders have ended, for as long as is to be measured at most
    #[arg(long)]
    pub watch: Option<u64>,
    /// A server whose processor time is to be measured, with all its child processes: NAME=PID; can be repeated
    #[arg(long = "server", value_parser = named_process)]
    pub servers: Vec<(String, u32)>,
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
            unfollowed: false,
            watch: None,
            servers: Vec::new(),
        }
    }

    /// No orders: so many of those placed before are seen to end, within so many seconds.
    #[must_use]
    pub const fn watching(orders: u64, seconds: u32) -> Self {
        let mut phase = Self::closed(1, seconds);
        phase.watch = Some(orders);
        phase.warm_up = 0;
        phase
    }

    /// So many orders due each second, measured for so many seconds after a short warm-up.
    #[must_use]
    pub const fn open(rate: u32, seconds: u32) -> Self {
        let mut phase = Self::closed(1, seconds);
        phase.rate = Some(rate);
        phase
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

fn named_process(text: &str) -> Result<(String, u32), String> {
    let (name, id) = text
        .split_once('=')
        .ok_or("a server is given as NAME=PID")?;
    let id = id.parse().map_err(|error| format!("{id}: {error}"))?;
    Ok((name.to_owned(), id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_has_a_name_and_a_process() {
        assert_eq!(
            named_process("postgres=17"),
            Ok(("postgres".to_owned(), 17))
        );
        assert!(named_process("17").is_err());
        assert!(named_process("postgres=x").is_err());
    }

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
