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
    /// How long the order may take until it is paid
    #[arg(long, env = "GOZON_SMOKE_SECONDS", default_value_t = 10)]
    within_seconds: u64,
}

/// The smoke check's configuration.
#[derive(Debug)]
pub(crate) struct SmokeConfig {
    pub(crate) address: Url,
    pub(crate) within: Duration,
    /// A bearer token; without one it signs in as the demo identity.
    pub(crate) token: Option<SecretString>,
}

impl SmokeConfig {
    pub(crate) fn read(args: &SmokeArgs, environment: &Environment) -> anyhow::Result<Self> {
        Ok(Self {
            address: args.address.clone(),
            within: Duration::from_secs(args.within_seconds),
            token: environment.optional_secret(TOKEN)?,
        })
    }
}
