//! `gozon all`: every role in one process, on one port. The relays share doorbells with the services, so that a commit
//! wakes them without a detour through the database.

use contracts::service;
use messaging::doorbell::{Channel, Doorbell};

use crate::{
    config::{AllArgs, AllConfig, Environment, ServeConfig},
    part,
    process::{Base, Process},
    web,
};

/// Runs until it is stopped.
pub(crate) async fn run(
    args: &AllArgs,
    base: Base,
    environment: &Environment,
) -> anyhow::Result<()> {
    let config = AllConfig::read(args, base.profile, environment)?;
    let serve = ServeConfig::new(&args.serve, base.profile);
    let mut process = Process::start("all", serve, base).await?;
    let listener = process.open_public_port().await?;
    let [orders_bell, payments_bell] = [(); 2].map(|()| Doorbell::new(Channel::Outbox));
    let order = part::order::add(&mut process, &config.order, &orders_bell)?;
    let payment = part::payment::add(&mut process, &config.payment, &payments_bell)?;
    part::relay::add(&mut process, &config.orders_relay, orders_bell)?;
    part::relay::add(&mut process, &config.payments_relay, payments_bell)?;
    let router = process
        .finish(service::WEB, web::router(&config.web))
        .merge(process.finish(service::ORDER, order.router))
        .merge(process.finish(service::PAYMENT, payment.router));
    process.run(Some((listener, router))).await
}
