//! The shop as processes of their own: how many relays help, and what a million rows of backlog do.

use ::tests::measure::{LoadReport, Phase};
use anyhow::{Context, ensure};

use super::{Bench, end_over_start, title};
use crate::{
    generator::{ACCOUNTS, Customers, Generator, Places},
    ports,
    shop::Shop,
};

/// The backlog is placed within so many phases of ten seconds.
const FILL_PHASES: usize = 40;

const FILL_SECONDS: u32 = 10;

/// What the drain of the backlog is compared with: that of one so many times smaller.
const SMALLER: u64 = 5;

/// The backlog is gone within this time.
const DRAIN_SECONDS: u32 = 600;

const RATE_SECONDS: u32 = 6;

/// Relays hand lanes over and hold still within this time; it is the warm-up of each measurement.
const HAND_OVER_SECONDS: u32 = 8;

/// Nothing is refused for its number or age, and nobody repeats what is only late: the backlog is wanted.
const PATIENT: [(&str, &str); 4] = [
    ("GOZON_UNDECIDED_MAX", "100000000"),
    ("GOZON_OUTBOX_AGE_MAX_SECONDS", "86400"),
    ("GOZON_RECONCILE_AFTER_SECONDS", "86400"),
    ("GOZON_UNCOMMITTED_MAX", "10000"),
];

impl Bench<'_> {
    /// Runs the cells on processes of their own, started and stopped here.
    pub(super) fn apart(&mut self, shop: &mut Shop) -> anyhow::Result<()> {
        title("a process per role: 10,000 other customers");
        let places = Places {
            orders: serve(shop, "order", &PATIENT)?,
            accounts: Some(serve(shop, "payment", &[])?),
            sessions: Some(serve(shop, "web", &[])?),
        };
        relay_pair(shop, 1, &[])?;
        let customers = Customers {
            first: 1 + 2 * ACCOUNTS,
            payable: 95,
        };
        let mut generator = Generator::start(self.arguments, &places, customers)?;
        self.relays(shop, &mut generator, 1)?;
        self.one_event_per_message(shop, &mut generator)?;
        for number in 1..=4 {
            relay_pair(shop, number, &[])?;
            if number == 2 || number == 4 {
                self.relays(shop, &mut generator, number)?;
            }
        }
        for _ in 1..=4 {
            stop_relay_pair(shop)?;
        }
        self.backlog(shop, &mut generator)
    }

    /// Orders per second with as many relays as run now.
    fn relays(
        &mut self,
        shop: &Shop,
        generator: &mut Generator,
        number: usize,
    ) -> anyhow::Result<()> {
        title(&format!("{number} relay processes per database"));
        self.servers = shop.processes();
        let mut phase = Phase::closed(self.arguments.in_flight, RATE_SECONDS);
        phase.warm_up = HAND_OVER_SECONDS;
        let rate = self.rate(&format!("relays_{number}"), generator, &phase)?;
        let figures = &mut self.outcome.figures;
        figures.set(&format!("relays_{number}_orders_per_second"), rate);
        Ok(())
    }

    /// Replaces the one pair of relays that runs by one that publishes each event alone, and takes that away again.
    fn one_event_per_message(
        &mut self,
        shop: &mut Shop,
        generator: &mut Generator,
    ) -> anyhow::Result<()> {
        title("one event per AMQP message");
        stop_relay_pair(shop)?;
        relay_pair(shop, 1, &["--events-per-message", "1"])?;
        self.servers = shop.processes();
        let mut phase = Phase::closed(self.arguments.in_flight, RATE_SECONDS);
        phase.warm_up = HAND_OVER_SECONDS;
        let rate = self.rate("one_event_per_message", generator, &phase)?;
        let figures = &mut self.outcome.figures;
        figures.set("one_event_per_message_orders_per_second", rate);
        stop_relay_pair(shop)
    }

    fn backlog(&mut self, shop: &mut Shop, generator: &mut Generator) -> anyhow::Result<()> {
        let rows = self.arguments.backlog;
        let smaller = self
            .drain(shop, generator, rows / SMALLER)?
            .orders_per_second;
        stop_relay_pair(shop)?;
        let report = self.drain(shop, generator, rows)?;
        let rate = report.orders_per_second;
        let figures = &mut self.outcome.figures;
        figures.set("backlog_drain_orders_per_second", rate);
        figures.set("backlog_drain_over_empty", rate / smaller);
        if let Some(share) = end_over_start(&report) {
            figures.set("backlog_drain_end_over_start", share);
        }
        self.outcome.keep("backlog_drain", report);
        Ok(())
    }

    /// Lets so many rows pile up, and publishes them with one pair of relays, which runs on.
    fn drain(
        &mut self,
        shop: &mut Shop,
        generator: &mut Generator,
        rows: u64,
    ) -> anyhow::Result<LoadReport> {
        title(&format!("{rows} outbox rows pile up while no relay runs"));
        self.servers = shop.processes();
        let waiting = self.fill(generator, rows)?;
        title("a relay process per database, until all are decided");
        generator.ask(&self.watched(Phase::watching(waiting, DRAIN_SECONDS)))?;
        relay_pair(shop, 1, &[])?;
        generator.answer()
    }

    /// Places orders until so many wait, and says how many do.
    fn fill(&mut self, generator: &mut Generator, rows: u64) -> anyhow::Result<u64> {
        let mut phase = Phase::closed(self.arguments.in_flight, FILL_SECONDS);
        phase.unfollowed = true;
        phase.warm_up = 0;
        for _ in 0..FILL_PHASES {
            let report = generator.run(&self.watched(phase.clone()))?;
            self.outcome.keep("backlog_fill", report);
            let undecided = "select count(*) from orders.orders where status = 'NEW'";
            let waiting: u64 = self
                .postgres
                .ask("orders", undecided)?
                .parse()
                .context("a count is a number")?;
            if waiting >= rows {
                return Ok(waiting);
            }
        }
        anyhow::bail!("the backlog could not be placed in {FILL_PHASES} phases of {FILL_SECONDS} s")
    }
}

/// Starts a service on free ports and says where it is.
pub(super) fn serve(
    shop: &mut Shop,
    role: &str,
    environment: &[(&str, &str)],
) -> anyhow::Result<String> {
    let (port, admin) = (ports::free()?, ports::free()?);
    serve_at(shop, role, role, &port, &admin, environment)?;
    Ok(format!("http://127.0.0.1:{port}"))
}

/// Starts a service on these ports under a name.
pub(super) fn serve_at(
    shop: &mut Shop,
    name: &str,
    role: &str,
    port: &str,
    admin: &str,
    environment: &[(&str, &str)],
) -> anyhow::Result<()> {
    ensure!(port != admin, "two ports are the same; try again");
    let mut environment = environment.to_vec();
    environment.extend([("GOZON_PORT", port), ("GOZON_ADMIN_PORT", admin)]);
    shop.launch(name, &[role], &environment)?;
    shop.wait_until_ready(admin)
}

/// Starts one more relay process for each database.
pub(super) fn relay_pair(shop: &mut Shop, number: usize, flags: &[&str]) -> anyhow::Result<()> {
    for database in ["orders", "payments"] {
        let admin = ports::free()?;
        let role = [&["relay", "--database", database], flags].concat();
        shop.launch(
            &format!("relay-{database}-{number}"),
            &role,
            &[("GOZON_PORT", "0"), ("GOZON_ADMIN_PORT", &admin)],
        )?;
        shop.wait_until_ready(&admin)?;
    }
    Ok(())
}

/// Stops the pair started last.
fn stop_relay_pair(shop: &mut Shop) -> anyhow::Result<()> {
    shop.stop_last()?;
    shop.stop_last()
}
