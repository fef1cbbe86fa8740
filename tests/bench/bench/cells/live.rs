//! Live updates: what an idle socket costs, and how soon everybody sees an end while replicas come and go.

use std::{fs, thread, time::Duration};

use ::tests::{entrance::Addresses, measure::Phase, visit::Party};
use anyhow::{Context, ensure};

use super::{Bench, title, together};
use crate::{
    cells::apart,
    generator::{ACCOUNTS, Customers, Generator},
    ports,
    shop::Shop,
};

/// The ranges of customers that other cells use; the idle sockets' and the visitors' follow.
const OTHERS: i64 = 20;

const FIRST_SOCKETS: i64 = 500;

const REPLICAS: usize = 3;

/// Together a thousand orders a second.
const VISITORS: usize = 100;
const BETWEEN_ORDERS: Duration = Duration::from_millis(100);

/// How long a replica is there, and away.
const TURN: Duration = Duration::from_secs(5);

impl Bench<'_> {
    /// What the sockets of a fresh process add to its memory, one's share of it. Some are open before the first look: pools,
    /// caches and the allocator have begun their work by then.
    pub(super) fn idle_sockets(&mut self, shop: &mut Shop) -> anyhow::Result<()> {
        title("10,000 idle sockets on one replica");
        shop.start_all(&[])?;
        let process = *shop.processes().first().context("nothing runs")?;
        let open = |range, sockets| -> anyhow::Result<(Generator, u64)> {
            let crowd = Customers {
                first: 1 + range * ACCOUNTS,
                payable: 0,
            };
            let mut generator =
                Generator::start_prepared(self.arguments, &together()?, crowd, sockets)?;
            // Its report says that all are open.
            generator.run(&Phase::closed(1, 1))?;
            Ok((generator, resident_bytes(process)?))
        };
        let (first, before) = open(OTHERS, FIRST_SOCKETS)?;
        let (all, after) = open(OTHERS + 1, ACCOUNTS - FIRST_SOCKETS)?;
        drop((first, all));
        let each = after.saturating_sub(before) / u64::try_from(ACCOUNTS - FIRST_SOCKETS)?;
        let figures = &mut self.outcome.figures;
        figures.set("idle_socket_bytes", f64::from(u32::try_from(each)?));
        shop.stop()
    }

    /// A thousand orders a second over three replicas of the order service, of which one after the other is killed and
    /// started again.
    pub(super) fn replicas(&mut self, shop: &mut Shop) -> anyhow::Result<()> {
        title("three order replicas: 1,000 orders/s");
        let places: Vec<(String, String)> = (0..REPLICAS)
            .map(|_| Ok((ports::free()?, ports::free()?)))
            .collect::<anyhow::Result<_>>()?;
        for (number, (port, admin)) in places.iter().enumerate() {
            apart::serve_at(shop, &name(number), "order", port, admin, &[])?;
        }
        let addresses = Addresses {
            order: places
                .iter()
                .map(|(port, _)| format!("http://127.0.0.1:{port}").parse())
                .collect::<Result<_, _>>()?,
            payment: apart::serve(shop, "payment", &[])?.parse()?,
            web: apart::serve(shop, "web", &[])?.parse()?,
        };
        apart::relay_pair(shop, 1, &[])?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let _inside = runtime.enter();
        let visit = |range, meanwhile: &mut dyn FnMut() -> anyhow::Result<()>| {
            let first_user = 1 + range * ACCOUNTS;
            let party = Party::come(&addresses, first_user, VISITORS, BETWEEN_ORDERS);
            thread::sleep(TURN);
            meanwhile()?;
            party.over().cancel();
            let visit = runtime.block_on(party.all_left());
            ensure!(visit.flaws.is_empty(), "{visit:#?}");
            ensure!(visit.ended == visit.placed, "{visit:#?}");
            eprintln!(
                "{} orders, {} of {} requests answered otherwise, {} of {} sockets resumed",
                visit.placed, visit.failed, visit.asked, visit.resumed, visit.reopened
            );
            Ok(visit.to_be_seen)
        };
        let undisturbed = visit(OTHERS + 2, &mut || {
            thread::sleep(TURN * 2);
            Ok(())
        })?;
        title("the same, one replica after the other killed and started again");
        let disturbed = visit(OTHERS + 3, &mut || {
            for (number, (port, admin)) in places.iter().enumerate() {
                shop.kill(&name(number))?;
                thread::sleep(TURN);
                apart::serve_at(shop, &name(number), "order", port, admin, &[])?;
                thread::sleep(TURN);
            }
            Ok(())
        })?;
        let figures = &mut self.outcome.figures;
        figures.set("seen_p50_ms", undisturbed.p50_ms);
        figures.set("seen_p99_ms", undisturbed.p99_ms);
        figures.set("seen_p50_ms_while_killed", disturbed.p50_ms);
        figures.set("seen_p99_ms_while_killed", disturbed.p99_ms);
        shop.stop()
    }
}

fn name(number: usize) -> String {
    format!("order-{number}")
}

/// What a process holds of the machine's memory.
fn resident_bytes(process: u32) -> anyhow::Result<u64> {
    let path = format!("/proc/{process}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let kibibytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.strip_suffix("kB"))
        .with_context(|| format!("{path} does not say what is resident"))?;
    Ok(kibibytes.trim().parse::<u64>()? * 1024)
}
