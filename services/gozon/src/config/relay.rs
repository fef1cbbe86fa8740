//! What relays of one database need.

use clap::Args;
use messaging::broker::BrokerUrl;
use secrecy::SecretString;

use super::{Database, Environment, ServeArgs, secret_names::AMQP_RELAY_URL};

/// Flags of `gozon relay`.
#[derive(Debug, Args)]
pub(crate) struct RelayArgs {
    /// Whose outbox to carry
    #[arg(long, env = "GOZON_RELAY_DATABASE", value_enum)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
}

/// The configuration of a database's relays.
#[derive(Debug)]
pub(crate) struct RelayConfig {
    pub(crate) database: Database,
    pub(crate) url: SecretString,
    pub(crate) broker: BrokerUrl,
}

impl RelayConfig {
    pub(crate) fn read(database: Database, environment: &Environment) -> anyhow::Result<Self> {
        Ok(Self {
            database,
            url: environment.secret(database.relay_url_name())?,
            broker: environment.broker(AMQP_RELAY_URL)?,
        })
    }
}
