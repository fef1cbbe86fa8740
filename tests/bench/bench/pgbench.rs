//! What the same Postgres does with the plainest form of the same work: a transaction of four statements that puts an
//! order and its outbox row into two plain tables, 32 clients, no service and no broker.

use std::fs;

use anyhow::{Context, bail};

use crate::{arguments::Arguments, median::median, postgres::Postgres};

const DATABASE: &str = "bench_plain";

const CLIENTS: &str = "32";

const THREADS: &str = "2";

const SECONDS: &str = "8";

const RUNS: usize = 3;

const TABLES: &str = "
create table orders (
    id bigint primary key,
    user_id bigint not null,
    amount_minor bigint not null,
    currency text not null,
    description text not null,
    status text not null,
    created_at timestamptz not null default now()
);
create table outbox (
    id bigint generated always as identity primary key,
    order_id bigint not null,
    kind text not null,
    body text not null,
    created_at timestamptz not null default now()
);";

/// The body is as long as that of an `OrderPlaced`.
const TRANSACTION: &str = r#"\set id random(1, 9000000000000000000)
\set user random(1, 10000)
begin;
insert into orders (id, user_id, amount_minor, currency, description, status) values (:id, :user, 100, 'RUB', 'A pair of laces', 'NEW');
insert into outbox (order_id, kind, body) values (:id, 'order.placed.v1', '{"specversion":"1.0","id":"0197a0b0-0000-7000-8000-000000000000","source":"/gozon/order","type":"order.placed.v1","subject":"0197a0b0-0000-7000-8000-000000000000","time":"2026-01-01T00:00:00.000000Z","traceparent":"00-00000000000000000000000000000000-0000000000000000-00","datacontenttype":"application/json","data":{"order_id":"0197a0b0-0000-7000-8000-000000000000","user_id":10000,"amount":{"amount_minor":100,"currency":"RUB"}}}');
commit;
"#;

/// Transactions per second: the median of some runs.
pub(crate) fn run(arguments: &Arguments, postgres: &Postgres) -> anyhow::Result<f64> {
    for sql in [
        &format!("drop database if exists {DATABASE} with (force)"),
        &format!("create database {DATABASE}"),
    ] {
        postgres.ask("postgres", sql)?;
    }
    postgres.ask(DATABASE, TABLES)?;
    let script = arguments.logs.join("pgbench.sql");
    fs::write(&script, TRANSACTION)
        .with_context(|| format!("cannot write {}", script.display()))?;
    let mut rates = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let output = postgres
            .command("pgbench", DATABASE)
            .args(["--no-vacuum", "--protocol=prepared"])
            .args(["--client", CLIENTS, "--jobs", THREADS, "--time", SECONDS])
            .arg("--file")
            .arg(&script)
            .output()
            .context("pgbench cannot be run: it comes with the Postgres server's own package")?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            bail!(
                "pgbench failed: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        let rate = transactions_per_second(&text)
            .with_context(|| format!("pgbench says nothing of its rate: {text}"))?;
        eprintln!("pgbench: {rate:.0} transactions/s");
        rates.push(rate);
    }
    postgres.ask("postgres", &format!("drop database {DATABASE}"))?;
    Ok(*median(&mut rates, |rate| *rate).context("pgbench did not run")?)
}

fn transactions_per_second(text: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix("tps = "))?;
    line.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_read_from_what_pgbench_prints() {
        let text =
            "latency average = 2.8 ms\ntps = 11321.480123 (without initial connection time)\n";
        assert_eq!(transactions_per_second(text), Some(11_321.480_123));
        assert_eq!(transactions_per_second("no rate"), None);
    }

    #[test]
    fn the_transaction_is_of_four_statements() {
        let statements = TRANSACTION
            .lines()
            .filter(|line| line.ends_with(';'))
            .count();
        assert_eq!(statements, 4);
    }
}
