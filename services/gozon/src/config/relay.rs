//! What relays of one database need.

use clap::Args;
use messaging::broker::BrokerUrl;
use relay::EVENTS_PER_MESSAGE;
use secrecy::SecretString;

use super::{Database, Environment, ServeArgs, secret_names::AMQP_RELAY_URL};

/// Flags of `gozon relay`.
#[derive(Debug, Args)]
pub(crate) struct RelayArgs {
    /// Whose outbox to carry
    #[arg(long, env = "GOZON_RELAY_DATABASE", value_enum)]
    pub(crate) database: Database,
    /// The most events in one AMQP message: fewer cost the broker more of them
    #[arg(long, env = "GOZON_EVENTS_PER_MESSAGE", default_value_t = EVENTS_PER_MESSAGE,
        value_parser = clap::value_parser!(u16).range(1..=i64::from(EVENTS_PER_MESSAGE)))]
    pub(crate) events_per_message: u16,
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
}

/// The configuration of a database's relays.
#[derive(Debug)]
pub(crate) struct RelayConfig {
    pub(crate) database: Database,
    pub(crate) url: SecretString,
    pub(crate) broker: BrokerUrl,
    pub(crate) events_per_message: u16,
}

impl RelayConfig {
    pub(crate) fn read(
        database: Database,
        events_per_message: u16,
        environment: &Environment,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            events_per_message,
            database,
            url: environment.secret(database.relay_url_name())?,
            broker: environment.broker(AMQP_RELAY_URL)?,
        })
    }
}
