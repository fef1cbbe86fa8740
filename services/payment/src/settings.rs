//! What the service is given by whoever starts it.

use axum::extract::FromRef;
use chassis::{Profile, SessionKeys};
use messaging::{broker::BrokerUrl, doorbell::Doorbell, pool::Pool};

use crate::Metrics;

/// Everything the payment service needs from outside. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PaymentSettings {
    /// Reads for HTTP, as the role that row-level security holds.
    pub api_pool: Pool,
    /// Every write, as the role that may.
    pub writer_pool: Pool,
    /// Rung when a settled batch has put its answers into the outbox.
    pub outbox_bell: Doorbell,
    /// Verify who asks.
    pub session_keys: SessionKeys,
    /// Decides whether the original's paths exist.
    pub profile: Profile,
    /// Where placed orders come from.
    pub broker: BrokerUrl,
    /// Counts what is decided, and what is wrong with the ledger.
    pub metrics: Metrics,
    /// Counts what the consumer does.
    pub messaging_metrics: messaging::metrics::Metrics,
}

impl FromRef<PaymentSettings> for SessionKeys {
    fn from_ref(settings: &PaymentSettings) -> Self {
        settings.session_keys.clone()
    }
}
