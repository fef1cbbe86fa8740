//! `gozon outbox status`: what waits to be published, in both services.

use clap::{Args, Subcommand};
use serde_json::json;

use super::{client::Client, print_json, render};
use crate::{
    config::{Environment, OperateArgs, OperateConfig},
    ops::{Service, outbox::OutboxStatus},
};

/// Flags of `gozon outbox`.
#[derive(Debug, Args)]
pub(crate) struct OutboxArgs {
    #[command(subcommand)]
    command: OutboxCommand,
}

#[derive(Debug, Subcommand)]
enum OutboxCommand {
    /// What waits, for how long, in which lanes, and which relays are alive
    Status {
        #[command(flatten)]
        operate: OperateArgs,
        /// Only this service
        #[arg(long, value_enum)]
        service: Option<Service>,
        /// Show every lane, and not only those where something waits
        #[arg(long)]
        lanes: bool,
    },
}

/// Asks and prints.
pub(crate) async fn run(args: &OutboxArgs, environment: &Environment) -> anyhow::Result<()> {
    let OutboxCommand::Status {
        operate,
        service,
        lanes,
    } = &args.command;
    let client = Client::new(OperateConfig::read(operate, environment)?)?;
    let mut found = Vec::new();
    for service in super::asked(*service) {
        let status: Option<OutboxStatus> = client.get(service, "outbox", &json!({})).await?;
        found.extend(status.map(|status| (service, status)));
    }
    if operate.json {
        let answers = found
            .iter()
            .map(|(service, status)| (service.as_str(), status));
        return print_json(&answers.collect::<std::collections::BTreeMap<_, _>>());
    }
    for (service, status) in &found {
        print!("{}", render::outbox::text(*service, status, *lanes));
    }
    Ok(())
}
