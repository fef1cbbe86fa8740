//! The operators' API: the same paths for both services, `/ops/v1/order/…` and `/ops/v1/payment/…`.
//!
//! It asks as the service's writer, whose rights it does not widen beyond reading who publishes what: operators change
//! only what the service itself may change, and every change leaves a record in its transaction.

use std::sync::Arc;

use axum::extract::FromRef;
use chassis::{SessionKeys, identity::OperatorKey};
use messaging::watch::QueueLook;
use sqlx::PgPool;
use utoipa::openapi::{OpenApi, path::Operation};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) mod dead_letters;
mod error;
mod find;
mod health;
mod ledger;
pub(crate) mod operations;
pub(crate) mod outbox;
pub(crate) mod service;
mod stuck;
pub(crate) mod trace;

pub(crate) use service::Service;

/// What the handlers share.
#[derive(Debug, Clone)]
pub(crate) struct OpsState {
    /// How the service settles and gives up events, and so which service it is.
    pub(crate) settler: Arc<Settler>,
    /// Connections of the service's writer.
    pub(crate) pool: PgPool,
    /// The queue that the service consumes.
    pub(crate) queue: Arc<QueueLook>,
    pub(crate) session_keys: SessionKeys,
    pub(crate) operator_key: OperatorKey,
}

/// The handler of a service's events: what it gives up, it ends.
#[derive(Debug)]
pub(crate) enum Settler {
    /// The order service's.
    Order(order::Settlement),
    /// The payment service's.
    Payment(payment::Settlement),
}

impl OpsState {
    /// Which service is asked.
    pub(crate) fn service(&self) -> Service {
        match *self.settler {
            Settler::Order(_) => Service::Order,
            Settler::Payment(_) => Service::Payment,
        }
    }
}

impl FromRef<OpsState> for SessionKeys {
    fn from_ref(state: &OpsState) -> Self {
        state.session_keys.clone()
    }
}

impl FromRef<OpsState> for OperatorKey {
    fn from_ref(state: &OpsState) -> Self {
        state.operator_key.clone()
    }
}

/// A service's part of the operators' API, from the host's root.
pub(crate) fn router(state: OpsState) -> OpenApiRouter {
    paths(state.service()).with_state(state)
}

/// What [`router`] serves, described.
pub(crate) fn openapi(service: Service) -> OpenApi {
    paths(service).into_openapi()
}

fn paths(service: Service) -> OpenApiRouter<OpsState> {
    let own = match service {
        Service::Order => OpenApiRouter::new().routes(routes!(stuck::list_stuck)),
        Service::Payment => OpenApiRouter::new().routes(routes!(ledger::read_ledger)),
    };
    let routes = own
        .routes(routes!(health::read_health))
        .routes(routes!(find::find_order))
        .routes(routes!(outbox::read_outbox))
        .routes(routes!(dead_letters::list::list_dead_letters))
        .routes(routes!(dead_letters::about::orders_in_dead_letters))
        .routes(routes!(dead_letters::show::show_dead_letter))
        .routes(routes!(dead_letters::redrive::redrive_dead_letters))
        .routes(routes!(
            dead_letters::cancel::cancel_redrive_of_dead_letters
        ))
        .routes(routes!(dead_letters::discard::discard_dead_letters))
        .routes(routes!(operations::list_operations))
        .routes(routes!(trace::trace_order));
    let mut paths = OpenApiRouter::new().nest(service.path(), routes);
    // The same handlers serve both services; a description wants a name for each.
    for item in paths.get_openapi_mut().paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post];
        for operation in operations.into_iter().flatten() {
            rename(operation, service);
        }
    }
    paths
}

fn rename(operation: &mut Operation, service: Service) {
    let name = operation.operation_id.take().unwrap_or_default();
    operation.operation_id = Some(format!("{}_{name}", service.as_str()));
}

#[cfg(test)]
mod tests;
