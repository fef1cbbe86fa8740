//! `gozon relay`: the relays of one database. It serves nothing but its admin endpoints.

use messaging::doorbell::{Channel, Doorbell};

use crate::{
    config::{Environment, RelayArgs, RelayConfig, ServeConfig},
    part,
    process::{Base, Process},
};

/// Runs until it is stopped.
pub(crate) async fn run(
    args: &RelayArgs,
    base: Base,
    environment: &Environment,
) -> anyhow::Result<()> {
    let config = RelayConfig::read(args.database, args.events_per_message, environment)?;
    let serve = ServeConfig::new(&args.serve, base.profile);
    let mut process = Process::start("relay", serve, base).await?;
    part::relay::add(&mut process, &config, Doorbell::new(Channel::Outbox))?;
    process.run(None).await
}
