//! What traces cost: the shop with a collector, at the share that production records, against the shop without one.

use ::tests::{Collector, measure::Phase};
use anyhow::Context;

use super::{Bench, together};
use crate::{
    cells::title,
    generator::{ACCOUNTS, Customers, Generator},
    median::median,
    shop::Shop,
};

/// How often the two are compared, in turn, so that a machine that grows slower does so for both.
const PAIRS: usize = 3;

const SECONDS: u32 = 10;

/// The ranges of customers that other cells use.
const OTHERS: i64 = 3;

/// One run: orders per second, and processor time of gozon per order.
#[derive(Debug, Clone, Copy)]
struct Cost {
    rate: f64,
    cpu_us: f64,
}

impl Bench<'_> {
    /// Runs the cell on shops started and stopped here.
    pub(super) fn telemetry(&mut self, shop: &mut Shop) -> anyhow::Result<()> {
        title("with a collector of spans and without one, in turn");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let collector = runtime.block_on(Collector::start());
        let endpoint = [("GOZON_OTLP_ENDPOINT", &*collector.endpoint)];
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for pair in 0..PAIRS {
            // The one that goes first changes, for what goes second meets larger tables.
            let first_is_with = pair % 2 == 0;
            for is_with in [first_is_with, !first_is_with] {
                let environment = if is_with { &endpoint[..] } else { &[] };
                let number = with.len() + without.len();
                let cost = self.cost(shop, environment, number)?;
                if is_with { &mut with } else { &mut without }.push(cost);
            }
        }
        let middle = |costs: &mut Vec<Cost>, key: fn(&Cost) -> f64| -> anyhow::Result<f64> {
            Ok(key(median(costs, key).context("nothing was run")?))
        };
        let rate = middle(&mut with, |cost| cost.rate)? / middle(&mut without, |cost| cost.rate)?;
        let cpu =
            middle(&mut with, |cost| cost.cpu_us)? / middle(&mut without, |cost| cost.cpu_us)?;
        let figures = &mut self.outcome.figures;
        figures.set("telemetry_rate_share", rate);
        figures.set("telemetry_gozon_cpu_share", cpu);
        if collector.spans().is_empty() {
            let failure = "the collector was sent no span";
            self.outcome.failures.push(failure.to_owned());
        }
        Ok(())
    }

    fn cost(
        &mut self,
        shop: &mut Shop,
        environment: &[(&str, &str)],
        number: usize,
    ) -> anyhow::Result<Cost> {
        shop.start_all(environment)?;
        self.servers = shop.processes();
        let customers = Customers {
            first: 1 + (OTHERS + i64::try_from(number)?) * ACCOUNTS,
            payable: 95,
        };
        let mut generator = Generator::start(self.arguments, &together()?, customers)?;
        let phase = Phase::closed(self.arguments.in_flight, SECONDS);
        let report = generator.run(&self.watched(phase))?;
        drop(generator);
        shop.stop()?;
        let cost = Cost {
            rate: report.orders_per_second,
            cpu_us: *report
                .server_cpu_us_per_order
                .get("gozon")
                .context("gozon was not watched")?,
        };
        let cell = if environment.is_empty() {
            "telemetry_off"
        } else {
            "telemetry_on"
        };
        self.outcome.keep(cell, report);
        Ok(cost)
    }
}
