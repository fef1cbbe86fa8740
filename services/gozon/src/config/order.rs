//! What the order service needs.

use std::time::Duration;

use chassis::{Profile, SessionKeys, identity::OperatorKey};
use clap::Args;
use messaging::broker::BrokerUrl;
use order::{LoadLimits, ReconcileSettings, limits, reconcile::BackOff};
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
    /// Seconds an order may stay NEW or REFUNDING before its request for its money is repeated; longer than any request takes to commit
    #[arg(long, env = "GOZON_RECONCILE_AFTER_SECONDS", default_value_t = limits::RECONCILE_AFTER.as_secs(),
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    reconcile_after_seconds: u64,
    /// How often the request of one order is repeated at most
    #[arg(long, env = "GOZON_RECONCILE_ATTEMPTS", default_value_t = limits::RECONCILE_ATTEMPTS)]
    reconcile_attempts: u16,
    /// Seconds after the first repeated request before the second; doubled from one to the next, up to an hour
    #[arg(long, env = "GOZON_RECONCILE_PAUSE_SECONDS", default_value_t = limits::RECONCILE_PAUSE.0.as_secs(),
          value_parser = clap::value_parser!(u64).range(1..=3_600))]
    reconcile_pause_seconds: u64,
    /// Requests for an order that one replica has under way; beyond, the answer is 503
    #[arg(long, env = "GOZON_UNCOMMITTED_MAX", default_value_t = limits::UNCOMMITTED_MAX)]
    uncommitted_max: usize,
    /// Undecided orders of the whole database while the broker takes events; beyond, the answer is 503
    #[arg(long, env = "GOZON_UNDECIDED_MAX", default_value_t = limits::UNDECIDED_MAX)]
    undecided_max: i64,
    /// Seconds the oldest unpublished event may wait; beyond, the answer is 503
    #[arg(long, env = "GOZON_OUTBOX_AGE_MAX_SECONDS", default_value_t = limits::OUTBOX_AGE_MAX.as_secs(),
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    outbox_age_max_seconds: u64,
}

impl OrderFlags {
    fn reconcile(&self) -> ReconcileSettings {
        ReconcileSettings {
            after: Duration::from_secs(self.reconcile_after_seconds),
            attempts: self.reconcile_attempts,
            back_off: BackOff {
                first: Duration::from_secs(self.reconcile_pause_seconds),
                longest: limits::RECONCILE_PAUSE.1,
            },
        }
    }

    const fn load_limits(&self) -> LoadLimits {
        LoadLimits {
            uncommitted: self.uncommitted_max,
            undecided: self.undecided_max,
            outbox_age: Duration::from_secs(self.outbox_age_max_seconds),
        }
    }
}

/// The order service's configuration.
#[derive(Debug)]
pub(crate) struct OrderConfig {
    pub(crate) profile: Profile,
    pub(crate) session_keys: SessionKeys,
    pub(crate) operator_key: OperatorKey,
    pub(crate) api_url: SecretString,
    pub(crate) writer_url: SecretString,
    pub(crate) broker: BrokerUrl,
    pub(crate) everyone_role: String,
    pub(crate) reconcile: ReconcileSettings,
    pub(crate) load_limits: LoadLimits,
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
            operator_key: environment.operator_key()?,
            api_url: environment.secret(ORDERS_API_URL)?,
            writer_url: environment.secret(ORDERS_WRITER_URL)?,
            broker: environment.broker(AMQP_SERVICE_URL)?,
            everyone_role: flags.everyone_role.clone(),
            reconcile: flags.reconcile(),
            load_limits: flags.load_limits(),
        })
    }
}
