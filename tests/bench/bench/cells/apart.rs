//! The shop as processes of their own: how many relays help, and what a million rows of backlog do.

use ::tests::measure::Phase;
use anyhow::{Context, ensure};

use super::{Bench, title};
use crate::{
    generator::{ACCOUNTS, Customers, Generator, Places},
    ports,
    shop::Shop,
};

/// The backlog is placed within so many phases of ten seconds.
const FILL_PHASES: usize = 40;

const FILL_SECONDS: u32 = 10;

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
        let mut relays = 1;
        relay_pair(shop, relays)?;
        let customers = Customers {
            first: 1 + 2 * ACCOUNTS,
            payable: 95,
        };
        let mut generator = Generator::start(self.arguments, &places, customers)?;
        let mut alone = 0.0;
        for (wanted, figure) in [
            (1, "relays_1_orders_per_second"),
            (2, "relays_2_orders_per_second"),
            (4, "relays_4_orders_per_second"),
        ] {
            title(&format!("{wanted} relay processes per database"));
            while relays < wanted {
                relays += 1;
                relay_pair(shop, relays)?;
            }
            self.servers = shop.processes();
            let mut phase = Phase::closed(self.arguments.in_flight, RATE_SECONDS);
            phase.warm_up = HAND_OVER_SECONDS;
            let rate = self.rate(&format!("relays_{wanted}"), &mut generator, &phase)?;
            self.outcome.figures.set(figure, rate);
            if wanted == 1 {
                alone = rate;
            }
        }
        // A pair is two processes.
        for _ in 0..2 * relays {
            shop.stop_last()?;
        }
        self.backlog(shop, &mut generator, alone)
    }

    fn backlog(
        &mut self,
        shop: &mut Shop,
        generator: &mut Generator,
        empty: f64,
    ) -> anyhow::Result<()> {
        title("outbox rows pile up while no relay runs");
        self.servers = shop.processes();
        let waiting = self.fill(generator)?;
        title("a relay process per database, until all are decided");
        generator.ask(&self.watched(Phase::watching(waiting, DRAIN_SECONDS)))?;
        relay_pair(shop, 1)?;
        let report = generator.answer()?;
        let rate = report.orders_per_second;
        let figures = &mut self.outcome.figures;
        figures.set("backlog_drain_orders_per_second", rate);
        figures.set("backlog_drain_over_empty", rate / empty);
        self.outcome.keep("backlog_drain", report);
        Ok(())
    }

    /// Places orders until a million wait, and says how many do.
    fn fill(&mut self, generator: &mut Generator) -> anyhow::Result<u64> {
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
            if waiting >= self.arguments.backlog {
                return Ok(waiting);
            }
        }
        anyhow::bail!("the backlog could not be placed in {FILL_PHASES} phases of {FILL_SECONDS} s")
    }
}

/// Starts a service on free ports and says where it is.
fn serve(shop: &mut Shop, role: &str, environment: &[(&str, &str)]) -> anyhow::Result<String> {
    let (port, admin) = (ports::free()?, ports::free()?);
    ensure!(port != admin, "two ports are the same; try again");
    let mut environment = environment.to_vec();
    environment.extend([("GOZON_PORT", &*port), ("GOZON_ADMIN_PORT", &*admin)]);
    shop.launch(role, &[role], &environment)?;
    shop.wait_until_ready(&admin)?;
    Ok(format!("http://127.0.0.1:{port}"))
}

/// Starts one more relay process for each database.
fn relay_pair(shop: &mut Shop, number: usize) -> anyhow::Result<()> {
    for database in ["orders", "payments"] {
        let admin = ports::free()?;
        shop.launch(
            &format!("relay-{database}-{number}"),
            &["relay", "--database", database],
            &[("GOZON_PORT", "0"), ("GOZON_ADMIN_PORT", &admin)],
        )?;
        shop.wait_until_ready(&admin)?;
    }
    Ok(())
}
