//! What every command needs before it can begin: arguments, environment, TLS, logs and the runtime.

use std::{process::ExitCode, time::Duration};

use anyhow::Context;
use chassis::telemetry;
use clap::Parser;

use crate::{
    cli::{Cli, Command},
    config::Environment,
    process::Base,
    role,
};

/// In development builds: where this process is to end itself, for tests of what follows.
#[cfg(debug_assertions)]
pub(crate) const FAULT_POINT: &str = "GOZON_FAULT_POINT";

/// How long tasks that did not end in time may hold up the end of the process.
const LEFTOVERS_TIME_MAX: Duration = Duration::from_millis(500);

/// Runs the command of the command line to its end; says how the process should exit.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    let environment = Environment::of_process();
    #[cfg(debug_assertions)]
    if let Some(plan) = environment.fault_plan() {
        messaging::fault_point::arm(plan).context(FAULT_POINT)?;
    }
    install_tls();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("no runtime could be started")?;
    let telemetry = {
        // What exports spans asks for a runtime.
        let _inside = runtime.enter();
        telemetry::init(&cli.telemetry()).context("telemetry could not be set up")?
    };
    let base = Base {
        profile: cli.common.profile,
        sampling: telemetry.sampling(),
        log_filter: telemetry.log_filter,
        log_metrics: telemetry.log_metrics,
        span_metrics: telemetry.span_metrics,
    };
    let result = runtime.block_on(command(cli.command, base, &environment));
    if let Some(traces) = telemetry.traces {
        traces.shut_down();
    }
    runtime.shutdown_timeout(LEFTOVERS_TIME_MAX);
    result
}

async fn command(
    command: Command,
    base: Base,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    match command {
        Command::Order(args) => role::order::run(&args, base, environment).await?,
        Command::Payment(args) => role::payment::run(&args, base, environment).await?,
        Command::Relay(args) => role::relay::run(&args, base, environment).await?,
        Command::Web(args) => role::web::run(&args, base, environment).await?,
        Command::All(args) => role::all::run(&args, base, environment).await?,
        Command::Operator(args) => role::operator::run(&args, base, environment).await?,
        Command::Migrate(args) => role::migrate::run(args, base.profile, environment).await?,
        Command::Smoke(args) => role::smoke::run(&args, environment).await?,
        Command::Outbox(args) => role::operate::outbox::run(&args, environment).await?,
        Command::DeadLetters(args) => role::operate::dead_letters::run(args, environment).await?,
        Command::Metrics => role::metrics::run()?,
        Command::Openapi => role::openapi::run(base.profile)?,
        Command::Crd => print!("{}", operator::definitions()),
        Command::Trace(args) => role::operate::trace::run(&args, environment).await?,
        // Its answer is more than whether it failed.
        Command::Audit(args) => return Ok(role::audit::run(&args, environment).await),
    }
    Ok(ExitCode::SUCCESS)
}

/// Chooses the one TLS provider, before anything can ask for it.
fn install_tls() {
    // It fails only if there is a provider already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
