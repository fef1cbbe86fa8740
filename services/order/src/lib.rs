//! The order service: takes orders, learns whether they were paid, and tells their owners the moment it is decided.

use chassis::Profile;
use messaging::{broker::BrokerUrl, consumer::Consumer};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

mod api;
mod cancellation;
mod error;
mod intake;
pub mod limits;
pub mod load;
pub mod metrics;
pub mod order;
mod original;
pub mod push;
pub mod reconcile;
pub mod schema;
pub mod settlement;
mod state;
pub mod status;
mod storage;
#[cfg(test)]
mod testing;
pub mod trace;

pub use load::{LoadLimits, LoadMonitor};
pub use metrics::Metrics;
pub use push::{PushLogWriter, Tail};
pub use reconcile::{ReconcileSettings, Reconciler};
pub use settlement::Settlement;
pub use state::{OrderSettings, OrderState};
pub use storage::audit;

/// The public paths, relative to the host's root; those of the original contract too in a demo.
#[must_use]
pub fn router(state: &OrderState) -> OpenApiRouter {
    routes(state.profile()).with_state(state.clone())
}

/// The description of the same paths.
#[must_use]
pub fn openapi(profile: Profile) -> OpenApi {
    routes(profile).into_openapi()
}

fn routes(profile: Profile) -> OpenApiRouter<OrderState> {
    if profile.is_demo() {
        api::router().merge(original::router())
    } else {
        api::router()
    }
}

/// The consumer of the payment service's decisions.
#[must_use]
pub fn consumer(
    state: &OrderState,
    broker: BrokerUrl,
    metrics: messaging::metrics::Metrics,
) -> Consumer<Settlement> {
    let handler = Settlement::new(state.status_bell().clone(), state.metrics().clone());
    Consumer::new(handler, state.background_pool(), broker, metrics)
}

/// The reader of the status history that feeds this process's sockets.
#[must_use]
pub fn tail(state: &OrderState, metrics: messaging::metrics::Metrics) -> Tail {
    let (hub, pool) = (state.hub().clone(), state.background_pool());
    Tail::new(
        hub,
        state.load().clone(),
        pool,
        state.status_bell(),
        metrics,
    )
}

/// Who writes down what this process's sockets took, under the name of this replica.
#[must_use]
pub fn push_log_writer(state: &OrderState, replica: String) -> PushLogWriter {
    let (log, pool) = (state.hub().log().clone(), state.background_pool());
    PushLogWriter::new(log, replica, pool)
}

/// The reader of the outbox's state, by which requests are refused before too much is under way.
#[must_use]
pub fn load_monitor(state: &OrderState) -> LoadMonitor {
    LoadMonitor::new(state.load().clone(), state.background_pool())
}

/// The reconciler of this process; of all processes, one at a time works.
#[must_use]
pub fn reconciler(state: &OrderState, settings: ReconcileSettings) -> Reconciler {
    let (pool, metrics) = (state.background_pool(), state.metrics().clone());
    Reconciler::new(settings, pool, state.outbox_bell().clone(), metrics)
}
