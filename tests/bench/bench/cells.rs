//! The cells: what is measured, in which order, and which figures come out.

mod apart;
mod held_snapshot;
mod live;
mod telemetry;

use std::process::Command;

use ::tests::measure::{LoadReport, Phase, share};
use anyhow::{Context, ensure};

use crate::{
    arguments::Arguments,
    generator::{ACCOUNTS, Customers, Generator, Places},
    median::median,
    pgbench,
    postgres::Postgres,
    result::Outcome,
    shop::Shop,
};

/// How often a short cell is measured; its median counts.
const RUNS: usize = 3;

/// The saturated cell: long enough for a checkpoint and for partitions, caches and plans to settle.
const SATURATED_SECONDS: u32 = 10;

/// The warm-up of the first cell, after which both databases are analysed: they were empty.
const FIRST_WARM_UP_SECONDS: u32 = 5;

const SERIAL_SECONDS: u32 = 5;

const OPEN_SECONDS: u32 = 20;

const VARIANT_SECONDS: u32 = 6;

/// How many seconds at either end of a long run are compared.
const COMPARED_SECONDS: usize = 10;

/// The open loop's share of what saturates the shop, in percent.
const OPEN_PERCENT: f64 = 40.0;

/// Runs all cells that were asked for.
pub(crate) fn run(
    arguments: &Arguments,
    postgres: &Postgres,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    title("pgbench: order + outbox row, a transaction of 4 statements, 32 clients");
    let plain = pgbench::run(arguments, postgres)?;
    outcome.figures.set("pgbench_orders_per_second", plain);

    let mut shop = Shop::migrate(arguments)?;
    shop.start_all(&[])?;
    let mut bench = Bench {
        arguments,
        postgres,
        servers: shop.processes(),
        outcome,
    };
    bench.usual_customers()?;
    bench.half_unpayable()?;
    shop.stop()?;
    bench.idle_sockets(&mut shop)?;
    bench.replicas(&mut shop)?;
    bench.telemetry(&mut shop)?;
    if arguments.full {
        bench.apart(&mut shop)?;
        shop.stop()?;
    }
    Ok(())
}

/// Where the generator finds the shop while it is one process.
fn together() -> anyhow::Result<Places> {
    Ok(Places {
        orders: Shop::url()?,
        accounts: None,
        sessions: None,
    })
}

/// What every cell needs.
#[derive(Debug)]
struct Bench<'a> {
    arguments: &'a Arguments,
    postgres: &'a Postgres,
    /// The processes of the shop.
    servers: Vec<u32>,
    outcome: &'a mut Outcome,
}

impl Bench<'_> {
    /// The cells with 95 % payable, all with the same ten thousand customers and their sockets.
    fn usual_customers(&mut self) -> anyhow::Result<()> {
        title("10,000 customers, 95 % payable: accounts, sockets, warm-up");
        let customers = Customers {
            first: 1,
            payable: 95,
        };
        let mut generator = Generator::start(self.arguments, &together()?, customers)?;
        let warm_up = Phase::closed(self.arguments.in_flight, FIRST_WARM_UP_SECONDS);
        generator.run(&self.watched(warm_up))?;
        for database in ["orders", "payments"] {
            self.postgres.ask(database, "analyze")?;
        }
        let rate = self.saturated(&mut generator)?;
        self.serial(&mut generator)?;
        self.open_loop(&mut generator, rate)?;
        title("all orders on one account");
        let hot = Phase {
            hot: true,
            ..Phase::closed(self.arguments.in_flight, VARIANT_SECONDS)
        };
        let hot = self.rate("hot_account", &mut generator, &hot)?;
        self.outcome.figures.set("hot_account_share", hot / rate);
        if self.arguments.full {
            self.held_snapshot(&mut generator)?;
        }
        Ok(())
    }

    fn saturated(&mut self, generator: &mut Generator) -> anyhow::Result<f64> {
        title("saturated, closed loop");
        let phase = Phase::closed(self.arguments.in_flight, SATURATED_SECONDS);
        let report = self.median("saturated", generator, &phase, |report| {
            report.orders_per_second
        })?;
        let rate = report.orders_per_second;
        let figures = &mut self.outcome.figures;
        figures.set("end_to_end_orders_per_second", rate);
        figures.set("server_cpu_us_per_order", report.server_cpu_us());
        for (server, name) in [
            ("postgres", "server_cpu_us_postgres"),
            ("rabbitmq", "server_cpu_us_rabbitmq"),
            ("gozon", "server_cpu_us_gozon"),
        ] {
            let used = report.server_cpu_us_per_order.get(server);
            figures.set(name, used.copied().context("a server was not watched")?);
        }
        let generator = report.generator_cpu_us_per_order;
        figures.set("generator_cpu_us_per_order", generator);
        figures.set("saturated_p50_ms", report.to_push.p50_ms);
        figures.set("saturated_p99_ms", report.to_push.p99_ms);
        figures.set("finished_share", share(report.finished, report.orders));
        figures.set("elsewhere_cpus", report.elsewhere_cpus);
        if let Some(plain) = figures.get("pgbench_orders_per_second") {
            figures.set("end_to_end_over_pgbench", rate / plain);
        }
        Ok(rate)
    }

    fn serial(&mut self, generator: &mut Generator) -> anyhow::Result<()> {
        title("one order at a time");
        write_back()?;
        let phase = Phase::closed(1, SERIAL_SECONDS);
        let report = self.median("serial", generator, &phase, |report| report.to_push.p99_ms)?;
        let figures = &mut self.outcome.figures;
        figures.set("serial_p50_ms", report.to_push.p50_ms);
        figures.set("serial_p99_ms", report.to_push.p99_ms);
        Ok(())
    }

    fn open_loop(&mut self, generator: &mut Generator, saturated: f64) -> anyhow::Result<()> {
        title("open loop at 40 % of that");
        write_back()?;
        let phase = Phase::open(rate_of(saturated * OPEN_PERCENT / 100.0), OPEN_SECONDS);
        let report = generator.run(&self.watched(phase))?;
        let latency = report.to_push;
        if report.refused > 0 {
            self.outcome.failures.push(format!(
                "the shop put off {} orders at 40 % of its own rate",
                report.refused
            ));
        }
        self.outcome.keep("open_loop_at_40_percent", report);
        let figures = &mut self.outcome.figures;
        figures.set("p50_ms_at_40_percent", latency.p50_ms);
        figures.set("p99_ms_at_40_percent", latency.p99_ms);
        Ok(())
    }

    fn half_unpayable(&mut self) -> anyhow::Result<()> {
        title("10,000 other customers, half of them unable to pay");
        let customers = Customers {
            first: 1 + ACCOUNTS,
            payable: 50,
        };
        let mut generator = Generator::start(self.arguments, &together()?, customers)?;
        let phase = Phase::closed(self.arguments.in_flight, VARIANT_SECONDS);
        let rate = self.rate("half_unpayable", &mut generator, &phase)?;
        let figures = &mut self.outcome.figures;
        if let Some(saturated) = figures.get("end_to_end_orders_per_second") {
            figures.set("half_unpayable_share", rate / saturated);
        }
        Ok(())
    }

    /// A phase with the servers whose processor time is to be measured.
    fn watched(&self, mut phase: Phase) -> Phase {
        let named = |name: &str, process| (name.to_owned(), process);
        phase.servers = vec![
            named("postgres", self.postgres.process),
            named("rabbitmq", self.arguments.rabbitmq),
        ];
        let shop = self.servers.iter().map(|process| named("gozon", *process));
        phase.servers.extend(shop);
        phase
    }

    /// Orders per second: the median of some runs.
    fn rate(
        &mut self,
        cell: &str,
        generator: &mut Generator,
        phase: &Phase,
    ) -> anyhow::Result<f64> {
        let report = self.median(cell, generator, phase, |report| report.orders_per_second)?;
        Ok(report.orders_per_second)
    }

    fn median(
        &mut self,
        cell: &str,
        generator: &mut Generator,
        phase: &Phase,
        key: impl Fn(&LoadReport) -> f64,
    ) -> anyhow::Result<LoadReport> {
        let mut reports = Vec::with_capacity(RUNS);
        for _ in 0..RUNS {
            let report = generator.run(&self.watched(phase.clone()))?;
            self.outcome.keep(cell, report.clone());
            reports.push(report);
        }
        let report = median(&mut reports, key).context("nothing was run")?;
        Ok(report.clone())
    }
}

/// Writes what the cells before left in the kernel's cache: it would be written in the midst of this one, and every `fsync`
/// would wait for it.
fn write_back() -> anyhow::Result<()> {
    let status = Command::new("sync").status().context("sync(1)")?;
    ensure!(status.success(), "sync(1) has failed: {status}");
    Ok(())
}

/// A cell begins.
pub(crate) fn title(text: &str) {
    eprintln!("\n== {text}");
}

/// The rate of a run's last seconds over that of its first: below one, something slows down.
fn end_over_start(report: &LoadReport) -> Option<f64> {
    let seconds = &report.orders_each_second;
    let compared = COMPARED_SECONDS.min(seconds.len() / 2);
    let start: u64 = seconds[..compared].iter().sum();
    let end: u64 = seconds[seconds.len() - compared..].iter().sum();
    (start > 0).then(|| share(end, start))
}

/// A whole rate of at least one order per second.
fn rate_of(rate: f64) -> u32 {
    // Formatting rounds without a cast; the rates here are small and positive.
    format!("{rate:.0}").parse().unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_whole_and_at_least_one() {
        assert_eq!(rate_of(4_000.4), 4_000);
        assert_eq!(rate_of(0.2), 1);
    }
}
