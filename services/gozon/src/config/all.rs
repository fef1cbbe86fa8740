//! What all roles in one process need.

use chassis::Profile;
use clap::Args;
use relay::EVENTS_PER_MESSAGE;

use super::{
    Database, Environment, OrderConfig, PaymentConfig, RelayConfig, ServeArgs, WebConfig,
    order::OrderFlags, web::WebFlags,
};

/// Flags of `gozon all`.
#[derive(Debug, Args)]
pub(crate) struct AllArgs {
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
    #[command(flatten)]
    pub(crate) order: OrderFlags,
    #[command(flatten)]
    pub(crate) web: WebFlags,
}

/// The configuration of every role.
#[derive(Debug)]
pub(crate) struct AllConfig {
    pub(crate) order: OrderConfig,
    pub(crate) payment: PaymentConfig,
    pub(crate) orders_relay: RelayConfig,
    pub(crate) payments_relay: RelayConfig,
    pub(crate) web: WebConfig,
}

impl AllConfig {
    pub(crate) fn read(
        args: &AllArgs,
        profile: Profile,
        environment: &Environment,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            order: OrderConfig::read(&args.order, profile, environment)?,
            payment: PaymentConfig::read(profile, environment)?,
            orders_relay: RelayConfig::read(Database::Orders, EVENTS_PER_MESSAGE, environment)?,
            payments_relay: RelayConfig::read(Database::Payments, EVENTS_PER_MESSAGE, environment)?,
            web: WebConfig::read(&args.web, profile, environment)?,
        })
    }
}
