//! `gozon payment`: the payment service.

use contracts::service;
use messaging::doorbell::{Channel, Doorbell};

use crate::{
    config::{Environment, PaymentArgs, PaymentConfig, ServeConfig},
    part,
    process::{Base, Process},
};

/// Runs until it is stopped.
pub(crate) async fn run(
    args: &PaymentArgs,
    base: Base,
    environment: &Environment,
) -> anyhow::Result<()> {
    let config = PaymentConfig::read(base.profile, environment)?;
    let serve = ServeConfig::new(&args.serve, base.profile);
    let mut process = Process::start("payment", serve, base).await?;
    let listener = process.open_public_port().await?;
    let outbox_bell = Doorbell::new(Channel::Outbox);
    let part = part::payment::add(&mut process, &config, &outbox_bell)?;
    part::spawn_doorbell(
        &process,
        &part.gate,
        "payments outbox doorbell",
        outbox_bell,
        part.writer_pool,
    );
    let router = process.finish(service::PAYMENT, part.router);
    process.run(Some((listener, router))).await
}
