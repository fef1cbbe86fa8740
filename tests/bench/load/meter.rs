//! Processor time over the measured interval: of the servers, of this process, and of everything else.

use std::{collections::BTreeMap, time::Duration};

use ::tests::measure::{micros_each, processor};
use anyhow::Context;

/// The servers to watch.
#[derive(Debug)]
pub(crate) struct Meter {
    names: Vec<String>,
    roots: Vec<u32>,
}

/// Processor time used so far, or between two readings.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    servers: Vec<Duration>,
    generator: Duration,
    machine: Duration,
}

/// What a reading means.
#[derive(Debug)]
pub(crate) struct Costs {
    /// Microseconds per order.
    pub(crate) servers: BTreeMap<String, f64>,
    /// Microseconds per order.
    pub(crate) generator: f64,
    /// Processors that everything else kept busy.
    pub(crate) elsewhere: f64,
}

impl Meter {
    pub(crate) fn new(servers: &[(String, u32)]) -> Self {
        let (names, roots) = servers.iter().cloned().unzip();
        Self { names, roots }
    }

    pub(crate) fn read(&self) -> anyhow::Result<Reading> {
        Ok(Reading {
            servers: processor::of_trees(&self.roots)
                .context("the processor time of a server cannot be read")?,
            generator: processor::of_this_process()?,
            machine: processor::of_machine()?,
        })
    }

    /// What a difference of two readings cost for so many orders in so much time. A server named twice is added up.
    pub(crate) fn costs(&self, used: &Reading, orders: u64, time: Duration) -> Costs {
        let mut servers = BTreeMap::new();
        for (name, used) in self.names.iter().zip(&used.servers) {
            *servers.entry(name.clone()).or_default() += micros_each(*used, orders);
        }
        let known = used.servers.iter().sum::<Duration>() + used.generator;
        Costs {
            servers,
            generator: micros_each(used.generator, orders),
            elsewhere: used.machine.saturating_sub(known).as_secs_f64() / time.as_secs_f64(),
        }
    }
}

impl Reading {
    /// What was used since an earlier reading.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        Self {
            servers: self
                .servers
                .iter()
                .zip(&earlier.servers)
                .map(|(now, before)| now.saturating_sub(*before))
                .collect(),
            generator: self.generator.saturating_sub(earlier.generator),
            machine: self.machine.saturating_sub(earlier.machine),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(milliseconds: [u64; 4]) -> Reading {
        let [first, second, generator, machine] = milliseconds.map(Duration::from_millis);
        Reading {
            servers: vec![first, second],
            generator,
            machine,
        }
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "these quotients are exact")]
    fn costs_are_told_per_order_and_the_rest_of_the_machine_in_processors() {
        let servers = [("gozon".to_owned(), 1), ("postgres".to_owned(), 2)];
        let meter = Meter::new(&servers);
        let used = reading([30, 50, 20, 1_100]).since(&reading([10, 10, 10, 100]));
        assert_eq!(used, reading([20, 40, 10, 1_000]));
        let costs = meter.costs(&used, 100, Duration::from_secs(1));
        assert_eq!(costs.servers["gozon"], 200.0);
        assert_eq!(costs.servers["postgres"], 400.0);
        assert_eq!(costs.generator, 100.0);
        assert_eq!(costs.elsewhere, 0.93);
    }
}
