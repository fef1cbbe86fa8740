//! Another session's snapshot held open for the whole cell: does the core slow down, and what does an empty poll read?

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Stdio},
    thread,
    time::Duration,
};

use ::tests::{measure::Phase, plan::AS_THE_PROGRAM};
use anyhow::{Context, bail, ensure};

use super::{Bench, end_over_start, title};
use crate::{generator::Generator, postgres::Postgres};

const SECONDS: u32 = 60;

/// The relay's own statement, if that is what its session ran last.
const STATEMENT: &str = "select query from pg_stat_activity
    where usename = 'orders_relay' and query like 'with %messaging.outbox%xid >= $2%'
    limit 1";

/// How often that is looked for; between two reads an idle relay renews its leases.
const LOOKS: usize = 100;

const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The statement's parameters, as literals, for a relay that has read everything: all lanes as a bit mask, the snapshot of
/// its last read, and a limit.
const ARGUMENTS: &str = "select format('-1::bigint, %L::text, %L::text[], 1000',
        pg_snapshot_xmax(present), array(select pg_snapshot_xip(present)::text))
    from pg_current_snapshot() as present";

impl Bench<'_> {
    /// Runs the cell with the usual customers.
    pub(super) fn held_snapshot(&mut self, generator: &mut Generator) -> anyhow::Result<()> {
        title("another session's snapshot held open for a minute");
        let held = ["orders", "payments"]
            .iter()
            .map(|database| HeldSnapshot::take(self.postgres, database))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let phase = Phase::closed(self.arguments.in_flight, SECONDS);
        let report = generator.run(&self.watched(phase))?;
        let share = end_over_start(&report).context("the cell is too short")?;
        let figures = &mut self.outcome.figures;
        figures.set("held_snapshot_end_over_start", share);
        self.outcome.keep("held_snapshot", report);
        match empty_poll_buffers(self.postgres) {
            Ok(buffers) => {
                let figures = &mut self.outcome.figures;
                figures.set("held_snapshot_empty_poll_buffers", buffers);
            }
            Err(error) => self
                .outcome
                .warn(&format!("an empty poll could not be explained: {error:#}")),
        }
        drop(held);
        Ok(())
    }
}

/// A session in a transaction that sees the database as it was. It ends when this is dropped.
#[derive(Debug)]
struct HeldSnapshot(Child);

impl HeldSnapshot {
    fn take(postgres: &Postgres, database: &str) -> anyhow::Result<Self> {
        let mut child = postgres
            .command("psql", database)
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("psql cannot be run")?;
        let mut input = child.stdin.take().context("psql has no input")?;
        let output = child.stdout.take().context("psql has no output")?;
        let mut session = Self(child);
        writeln!(
            input,
            "begin isolation level repeatable read;\nselect pg_current_snapshot() is not null;"
        )?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        ensure!(line.trim() == "t", "psql answers {line:?}");
        // psql ends with its input, and the snapshot with it.
        session.0.stdin = Some(input);
        Ok(session)
    }
}

impl Drop for HeldSnapshot {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// The buffers that the relay's own statement reads when there is nothing to be read, planned as the relay's pool plans it.
fn empty_poll_buffers(postgres: &Postgres) -> anyhow::Result<f64> {
    let statement = relays_statement(postgres)?;
    let arguments = postgres.ask("orders", ARGUMENTS)?;
    let explained = postgres.ask(
        "orders",
        &format!(
            "{AS_THE_PROGRAM};\n\
             prepare empty_poll as {statement};\n\
             explain (analyze, buffers, timing off) execute empty_poll({arguments});"
        ),
    )?;
    buffers(&explained).with_context(|| format!("the plan names no buffers: {explained}"))
}

fn relays_statement(postgres: &Postgres) -> anyhow::Result<String> {
    for _ in 0..LOOKS {
        let statement = postgres.ask("orders", STATEMENT)?;
        if !statement.is_empty() {
            return Ok(statement);
        }
        thread::sleep(LOOK_EVERY);
    }
    bail!("no relay was seen to read the outbox")
}

/// The pages of the topmost node, found in memory or read.
fn buffers(plan: &str) -> Option<f64> {
    let line = plan
        .lines()
        .find_map(|line| line.trim().strip_prefix("Buffers: shared "))?;
    let numbers = line
        .split(' ')
        .filter_map(|word| {
            word.strip_prefix("hit=")
                .or_else(|| word.strip_prefix("read="))
        })
        .filter_map(|number| number.parse::<f64>().ok());
    Some(numbers.sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buffers_of_a_plan_are_those_of_its_topmost_node() {
        let plan = "Sort  (cost=1.0 rows=1)\n  Buffers: shared hit=50 read=6\n  ->  Scan\n        Buffers: shared hit=3\n";
        assert_eq!(buffers(plan), Some(56.0));
        assert_eq!(buffers("Result"), None);
    }
}
