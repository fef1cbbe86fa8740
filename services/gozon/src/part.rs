//! The parts of the shop, each added to a process by its own role and by `all`.

pub(crate) mod order;
pub(crate) mod payment;
pub(crate) mod relay;

use chassis::Stage;
use messaging::{doorbell::Doorbell, topology::Queue, watch::RowWatch};
use sqlx::PgPool;
use utoipa_axum::router::OpenApiRouter;

use crate::{gate::Gate, process::Process};

/// What a service contributes besides the tasks it has spawned.
pub(crate) struct Part {
    /// Its public routes, which answer 503 until its schema is there.
    pub(crate) router: OpenApiRouter,
    /// Opens when its schema is there.
    pub(crate) gate: Gate,
    /// Connections of its writer.
    pub(crate) writer_pool: PgPool,
}

/// Shows what a queue's consumer could not settle.
pub(crate) fn spawn_row_watch(process: &Process, gate: &Gate, queue: Queue, pool: PgPool) {
    let watch = RowWatch::new(queue, pool, process.metrics.messaging.clone());
    process.spawn_behind(gate, Stage::Support, "row watch", |stop| watch.run(stop));
}

/// Connects a doorbell to those of other processes.
pub(crate) fn spawn_doorbell(
    process: &Process,
    gate: &Gate,
    name: &'static str,
    doorbell: Doorbell,
    pool: PgPool,
) {
    process.spawn_behind(gate, Stage::Support, name, |stop| doorbell.run(pool, stop));
}
