//! `gozon order`: the order service.

use contracts::service;
use messaging::doorbell::{Channel, Doorbell};

use crate::{
    config::{Environment, OrderArgs, OrderConfig, ServeConfig},
    part,
    process::{Base, Process},
};

/// Runs until it is stopped.
pub(crate) async fn run(
    args: &OrderArgs,
    base: Base,
    environment: &Environment,
) -> anyhow::Result<()> {
    let config = OrderConfig::read(&args.order, base.profile, environment)?;
    let serve = ServeConfig::new(&args.serve, base.profile);
    let mut process = Process::start("order", serve, base).await?;
    let listener = process.open_public_port().await?;
    let outbox_bell = Doorbell::new(Channel::Outbox);
    let part = part::order::add(&mut process, &config, &outbox_bell)?;
    part::spawn_doorbell(
        &process,
        &part.gate,
        "orders outbox doorbell",
        outbox_bell,
        part.writer_pool,
    );
    let router = process.finish(service::ORDER, part.router);
    process.run(Some((listener, router))).await
}
