//! What the order service needs from outside, and the state its handlers share.

use std::sync::Arc;

use axum::extract::FromRef;
use chassis::{Profile, SessionKeys};
use messaging::{doorbell::Doorbell, pool::Pool};
use sqlx::PgPool;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    intake::Intake,
    load::{Load, LoadLimits},
    metrics::Metrics,
    push::hub::Hub,
};

/// What the order service needs from outside.
#[derive(Debug)]
pub struct OrderSettings {
    /// Connections of the login that reads for the API, behind row level security.
    pub api_pool: PgPool,
    /// Connections of the login that writes: intake, settlement, and the tail.
    pub writer_pool: PgPool,
    /// Rung when an event was appended to the outbox.
    pub outbox_bell: Doorbell,
    /// Rung when an order took a status.
    pub status_bell: Doorbell,
    /// The keys that verify sessions.
    pub session_keys: SessionKeys,
    /// In a demo the original's paths exist too.
    pub profile: Profile,
    /// The role that may read everyone's orders, for the original's list.
    pub everyone_role: String,
    /// How much may be under way.
    pub load_limits: LoadLimits,
    /// Measures.
    pub metrics: Metrics,
    /// Measures of the messaging core and the database.
    pub messaging_metrics: messaging::metrics::Metrics,
    /// Cancelled when the process begins to stop: sockets close.
    pub stopping: CancellationToken,
    /// Counts the open sockets, so that the process can wait for them when it stops.
    pub sockets: TaskTracker,
}

/// The state the handlers share. Cheap to clone.
#[derive(Debug, Clone)]
pub struct OrderState {
    settings: Arc<OrderSettings>,
    api_pool: Pool,
    writer_pool: Pool,
    intake: Intake,
    hub: Arc<Hub>,
    load: Arc<Load>,
}

impl OrderState {
    /// The state of one process.
    #[must_use]
    pub fn new(settings: OrderSettings) -> Self {
        let hub = Hub::new(settings.metrics.clone());
        let intake = Intake::new(&settings, Arc::clone(&hub));
        let database = &settings.messaging_metrics.database;
        let api_pool = Pool::new(settings.api_pool.clone(), database);
        let writer_pool = Pool::new(settings.writer_pool.clone(), database);
        let load = Load::new(settings.load_limits, settings.metrics.clone());
        Self {
            settings: Arc::new(settings),
            api_pool,
            writer_pool,
            intake,
            hub,
            load,
        }
    }

    pub(crate) const fn api_pool(&self) -> &Pool {
        &self.api_pool
    }

    /// For what a request waits for.
    pub(crate) const fn writer_pool(&self) -> &Pool {
        &self.writer_pool
    }

    /// For what goes on whether or not somebody asks.
    pub(crate) fn background_pool(&self) -> PgPool {
        self.settings.writer_pool.clone()
    }

    pub(crate) fn status_bell(&self) -> &Doorbell {
        &self.settings.status_bell
    }

    pub(crate) fn everyone_role(&self) -> &str {
        &self.settings.everyone_role
    }

    pub(crate) fn profile(&self) -> Profile {
        self.settings.profile
    }

    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.settings.stopping
    }

    pub(crate) fn sockets(&self) -> &TaskTracker {
        &self.settings.sockets
    }

    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    pub(crate) fn intake(&self) -> &Intake {
        &self.intake
    }

    pub(crate) fn load(&self) -> &Arc<Load> {
        &self.load
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.settings.metrics
    }

    pub(crate) fn outbox_bell(&self) -> &Doorbell {
        &self.settings.outbox_bell
    }
}

impl FromRef<OrderState> for SessionKeys {
    fn from_ref(state: &OrderState) -> Self {
        state.settings.session_keys.clone()
    }
}
