//! What the order service needs.

use chassis::{Profile, SessionKeys};
use clap::Args;
use messaging::broker::BrokerUrl;
use secrecy::SecretString;

use super::{
    Environment, ServeArgs,
    secret_names::{AMQP_SERVICE_URL, ORDERS_API_URL, ORDERS_WRITER_URL},
};

/// Flags of `gozon order`.
#[derive(Debug, Args)]
pub(crate) struct OrderArgs {
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
    #[command(flatten)]
    pub(crate) order: OrderFlags,
}

/// Flags of the order service, wherever it runs.
#[derive(Debug, Args)]
pub(crate) struct OrderFlags {
    /// In a demo: the role that may list everybody's orders, as the original system does
    #[arg(
        long,
        env = "GOZON_ORDERS_EVERYONE_ROLE",
        default_value = "orders_everyone"
    )]
    everyone_role: String,
}

/// The order service's configuration.
#[derive(Debug)]
pub(crate) struct OrderConfig {
    pub(crate) profile: Profile,
    pub(crate) session_keys: SessionKeys,
    pub(crate) api_url: SecretString,
    pub(crate) writer_url: SecretString,
    pub(crate) broker: BrokerUrl,
    pub(crate) everyone_role: String,
}

impl OrderConfig {
    pub(crate) fn read(
        flags: &OrderFlags,
        profile: Profile,
        environment: &Environment,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            profile,
            session_keys: environment.session_keys()?,
            api_url: environment.secret(ORDERS_API_URL)?,
            writer_url: environment.secret(ORDERS_WRITER_URL)?,
            broker: environment.broker(AMQP_SERVICE_URL)?,
            everyone_role: flags.everyone_role.clone(),
        })
    }
}
