//! What the smoke check needs.

use std::time::Duration;

use clap::Args;
use secrecy::SecretString;
use url::Url;

use super::{Environment, secret_names::TOKEN};

/// Flags of `gozon smoke`.
#[derive(Debug, Args)]
pub(crate) struct SmokeArgs {
    /// Where the shop is: `http://localhost:8080`, say
    address: Url,
    /// Where the order service is, if the first address does not lead to it: inside a cluster no one address leads to all
    #[arg(long, env = "GOZON_SMOKE_ORDER_ADDRESS", value_name = "ADDRESS")]
    order_address: Option<Url>,
    /// Where the payment service is, likewise
    #[arg(long, env = "GOZON_SMOKE_PAYMENT_ADDRESS", value_name = "ADDRESS")]
    payment_address: Option<Url>,
    /// How long the order may take until it is paid
    #[arg(long, env = "GOZON_SMOKE_SECONDS", default_value_t = 10)]
    within_seconds: u64,
}

/// The smoke check's configuration.
#[derive(Debug)]
pub(crate) struct SmokeConfig {
    /// Where sessions are.
    pub(crate) web: Url,
    /// Where orders are.
    pub(crate) order: Url,
    /// Where accounts are.
    pub(crate) payment: Url,
    pub(crate) within: Duration,
    /// A bearer token; without one it signs in as the demo identity.
    pub(crate) token: Option<SecretString>,
}

impl SmokeConfig {
    pub(crate) fn read(args: &SmokeArgs, environment: &Environment) -> anyhow::Result<Self> {
        Ok(Self {
            web: args.address.clone(),
            order: args.order_address.as_ref().unwrap_or(&args.address).clone(),
            payment: args
                .payment_address
                .as_ref()
                .unwrap_or(&args.address)
                .clone(),
            within: Duration::from_secs(args.within_seconds),
            token: environment.optional_secret(TOKEN)?,
        })
    }
}
