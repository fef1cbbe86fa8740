//! What the payment service needs.

use chassis::{Profile, SessionKeys, identity::OperatorKey};
use clap::Args;
use messaging::broker::BrokerUrl;
use secrecy::SecretString;

use super::{
    Environment, ServeArgs,
    secret_names::{AMQP_SERVICE_URL, PAYMENTS_API_URL, PAYMENTS_WRITER_URL},
};

/// Flags of `gozon payment`.
#[derive(Debug, Args)]
pub(crate) struct PaymentArgs {
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
}

/// The payment service's configuration.
#[derive(Debug)]
pub(crate) struct PaymentConfig {
    pub(crate) profile: Profile,
    pub(crate) session_keys: SessionKeys,
    pub(crate) operator_key: OperatorKey,
    pub(crate) api_url: SecretString,
    pub(crate) writer_url: SecretString,
    pub(crate) broker: BrokerUrl,
}

impl PaymentConfig {
    pub(crate) fn read(profile: Profile, environment: &Environment) -> anyhow::Result<Self> {
        Ok(Self {
            profile,
            session_keys: environment.session_keys()?,
            operator_key: environment.operator_key()?,
            api_url: environment.secret(PAYMENTS_API_URL)?,
            writer_url: environment.secret(PAYMENTS_WRITER_URL)?,
            broker: environment.broker(AMQP_SERVICE_URL)?,
        })
    }
}
