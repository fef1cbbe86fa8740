//! Customers inside a cluster: a few people who order at a steady pace and watch each order end, whatever happens to the shop
//! meanwhile, until they are asked to leave. It runs as a pod beside the shop, and is asked over HTTP:
//!
//! - `GET /progress`: what they have seen so far;
//! - `GET /leave`: they order no more, wait until all has ended, go through their books, and this answers with the report.

mod person;

use std::{net::SocketAddr, process::ExitCode, sync::Arc, time::Duration};

use ::tests::{
    Entrance,
    entrance::Addresses,
    visit::{Counters, Visit},
};
use anyhow::Context;
use axum::{Json, Router, extract::State, routing::get};
use clap::Parser;
use tokio::{
    net::TcpListener,
    sync::{Mutex, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use url::Url;

/// Customers who order at a steady pace until they are asked to leave
#[derive(Debug, Parser)]
struct Arguments {
    /// Where orders are
    #[arg(long)]
    order: Url,
    /// Where accounts are
    #[arg(long)]
    payment: Url,
    /// Where sessions are
    #[arg(long)]
    web: Url,
    /// How many there are
    #[arg(long, default_value_t = 10)]
    customers: i64,
    /// The user id of the first; the others follow
    #[arg(long)]
    first_user: i64,
    /// Milliseconds between two orders of one customer
    #[arg(long)]
    every_ms: u64,
    /// Where it is asked
    #[arg(long, default_value = "0.0.0.0:8080")]
    bind: SocketAddr,
}

/// What whoever asks may reach.
#[derive(Debug, Clone)]
struct Shared {
    counters: Arc<Counters>,
    over: CancellationToken,
    report: watch::Receiver<Option<Visit>>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no runtime could be started")?;
    runtime.block_on(receive(arguments))
}

async fn receive(arguments: &Arguments) -> anyhow::Result<()> {
    let (told, report) = watch::channel(None);
    let shared = Shared {
        counters: Arc::default(),
        over: CancellationToken::new(),
        report,
    };
    let mut people = JoinSet::new();
    for user_id in (arguments.first_user..).take(usize::try_from(arguments.customers)?) {
        let entrance = Entrance::new(Addresses {
            order: vec![arguments.order.clone()],
            payment: arguments.payment.clone(),
            web: arguments.web.clone(),
        });
        let Shared { counters, over, .. } = shared.clone();
        let every = Duration::from_millis(arguments.every_ms);
        people.spawn(person::visit(entrance, user_id, every, counters, over));
    }
    let counters = Arc::clone(&shared.counters);
    tokio::spawn(async move {
        let mut flaws = Vec::new();
        while let Some(ended) = people.join_next().await {
            // Whose books do not add up says so by a panic.
            flaws.extend(ended.err().map(|error| error.to_string()));
        }
        told.send_replace(Some(counters.so_far(flaws)));
    });
    let router = Router::new()
        .route("/progress", get(progress))
        .route("/leave", get(leave))
        .with_state(Arc::new(Mutex::new(shared)));
    let listener = TcpListener::bind(arguments.bind).await?;
    Ok(axum::serve(listener, router).await?)
}

async fn progress(State(shared): State<Arc<Mutex<Shared>>>) -> Json<Visit> {
    Json(shared.lock().await.counters.so_far(Vec::new()))
}

async fn leave(State(shared): State<Arc<Mutex<Shared>>>) -> Json<Option<Visit>> {
    let mut shared = shared.lock().await;
    shared.over.cancel();
    let report = shared.report.wait_for(Option::is_some).await;
    Json(report.ok().and_then(|report| report.clone()))
}
