//! The load generator: customers who place orders at a running shop and watch each of them end.
//!
//! A process of its own, so that what it costs is told apart from what the shop costs, and one thread, so that it
//! leaves as much of the machine to the shop as it can. Every order is followed from its POST to the push of its end
//! over the WebSocket of its customer.

mod arguments;
mod board;
mod connection;
mod crowd;
mod drive;
mod meter;
mod orders;
mod pool;
mod recorder;
mod sockets;

use std::{process::ExitCode, sync::Arc};

use ::tests::measure::{LoadReport, Phase};
use anyhow::{Context, bail};
use clap::Parser;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::{arguments::Arguments, crowd::Crowd, orders::Orders, pool::Pool};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(Verdict::Clean) => ExitCode::SUCCESS,
        Ok(Verdict::OrdersMissed) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every order of every phase came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Clean,
    OrdersMissed,
}

fn run(arguments: &Arguments) -> anyhow::Result<Verdict> {
    arguments.check()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no runtime could be started")?;
    runtime.block_on(load(arguments))
}

async fn load(arguments: &Arguments) -> anyhow::Result<Verdict> {
    let pool = Arc::new(Pool::new(&arguments.url)?);
    let elsewhere = |url: &Option<String>| {
        let url = url.as_ref().unwrap_or(&arguments.url);
        Pool::new(url).map(Arc::new)
    };
    let sessions = elsewhere(&arguments.session_url)?;
    let crowd = Arc::new(Crowd::sign_in(&sessions, pool.host(), arguments).await?);
    if !arguments.prepared {
        crowd.fund(&elsewhere(&arguments.account_url)?).await?;
    }
    let orders = Arc::new(Orders::new(pool, crowd));
    sockets::open_all(&orders).await?;
    if arguments.conversation {
        return converse(&orders).await;
    }
    let report = drive::run(&orders, &arguments.phase).await?;
    if arguments.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print(&report);
    }
    Ok(verdict(&report))
}

/// Runs the phases that the standard input asks for, until it ends. Between them the sockets are read on.
async fn converse(orders: &Arc<Orders>) -> anyhow::Result<Verdict> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut all = Verdict::Clean;
    while let Some(line) = lines.next_line().await? {
        let phase: Phase =
            serde_json::from_str(&line).with_context(|| format!("{line} is no phase"))?;
        if let Some(flaw) = phase.flaw() {
            bail!("{flaw}");
        }
        let report = drive::run(orders, &phase).await?;
        println!("{}", serde_json::to_string(&report)?);
        if verdict(&report) == Verdict::OrdersMissed {
            all = Verdict::OrdersMissed;
        }
    }
    Ok(all)
}

fn verdict(report: &LoadReport) -> Verdict {
    if report.errors == 0 && report.lost == 0 {
        Verdict::Clean
    } else {
        Verdict::OrdersMissed
    }
}

/// The report for people.
fn print(report: &LoadReport) {
    println!(
        "{:.0} orders/s ({} in {:.1} s: {} finished, {} cancelled)",
        report.orders_per_second, report.orders, report.seconds, report.finished, report.cancelled
    );
    for (name, latency) in [
        ("POST to push  ", report.to_push),
        ("POST to answer", report.to_answer),
    ] {
        println!(
            "{name}  p50 {:.1}  p90 {:.1}  p99 {:.1}  p99.9 {:.1}  max {:.1} ms",
            latency.p50_ms, latency.p90_ms, latency.p99_ms, latency.p999_ms, latency.max_ms
        );
    }
    for (name, micros) in &report.server_cpu_us_per_order {
        println!("{name:<14}  {micros:.1} us of processor per order");
    }
    println!(
        "generator       {:.1} us of processor per order; everything else kept {:.2} processors busy",
        report.generator_cpu_us_per_order, report.elsewhere_cpus
    );
    println!(
        "{} lost, {} errors, {} put off (503)",
        report.lost, report.errors, report.refused
    );
    for error in &report.first_errors {
        println!("  {error}");
    }
}
