//! The order service as a part of a process: routes, the consumer of payment decisions, the tail behind its sockets,
//! the load monitor and the reconciler.

use std::sync::Arc;

use chassis::{Stage, pool::PoolSettings};
use messaging::{
    doorbell::{Channel, Doorbell},
    topology::{self, ORDER_PAYMENTS},
    watch::QueueLook,
};
use order::{OrderSettings, OrderState, Settlement};
use sqlx::PgPool;
use uuid::Uuid;

use super::Part;
use crate::{
    config::OrderConfig,
    gate::Gate,
    ops::{self, OpsState, Settler},
    process::Process,
};

/// Adds the order service; `outbox_bell` is rung for every order placed.
pub(crate) fn add(
    process: &mut Process,
    config: &OrderConfig,
    outbox_bell: &Doorbell,
) -> anyhow::Result<Part> {
    let api_pool = process.pool(&config.api_url, &PoolSettings::for_api("gozon order api"))?;
    let writer = PoolSettings::for_writer("gozon order writer");
    let writer_pool = process.pool(&config.writer_url, &writer)?;
    let database = ORDER_PAYMENTS.database;
    process.check_database("orders database", database, &config.api_url)?;
    let gate = process.gate(
        "orders schema",
        schema(api_pool.clone(), writer_pool.clone()),
    );
    let status_bell = Doorbell::new(Channel::StatusHistory);
    let metrics = order::Metrics::register(&mut process.metrics.registry);
    let state = OrderState::new(OrderSettings {
        api_pool,
        writer_pool: writer_pool.clone(),
        outbox_bell: outbox_bell.clone(),
        status_bell: status_bell.clone(),
        session_keys: config.session_keys.clone(),
        profile: config.profile,
        everyone_role: config.everyone_role.clone(),
        load_limits: config.load_limits,
        metrics: metrics.clone(),
        messaging_metrics: process.metrics.messaging.clone(),
        stopping: process.lifecycle().stopping(),
        sockets: process.lifecycle().tracker(Stage::Serve),
    });
    spawn_consumer(process, &gate, config, &state);
    super::spawn_row_watch(process, &gate, ORDER_PAYMENTS, writer_pool.clone());
    let tail = order::tail(&state, process.metrics.messaging.clone());
    process.spawn_behind(&gate, Stage::Support, "order tail", |stop| tail.run(stop));
    // As for relays: nothing has to be known for it to be unique.
    let replica = format!("order-{}", Uuid::new_v4());
    let log = order::push_log_writer(&state, replica);
    process.spawn_behind(&gate, Stage::Support, "order push log", |stop| {
        log.run(stop)
    });
    let monitor = order::load_monitor(&state);
    process.spawn_behind(&gate, Stage::Support, "order load monitor", |stop| {
        monitor.run(stop)
    });
    let reconciler = order::reconciler(&state, config.reconcile.clone());
    process.spawn_behind(&gate, Stage::Support, "order reconciler", |stop| {
        reconciler.run(stop)
    });
    let operators = ops::router(OpsState {
        settler: Arc::new(Settler::Order(Settlement::new(
            status_bell.clone(),
            metrics,
        ))),
        pool: writer_pool.clone(),
        queue: Arc::new(QueueLook::new(ORDER_PAYMENTS, config.broker.clone())),
        session_keys: config.session_keys.clone(),
        operator_key: config.operator_key.clone(),
    });
    super::spawn_doorbell(
        process,
        &gate,
        "order status doorbell",
        status_bell,
        writer_pool.clone(),
    );
    Ok(Part {
        router: gate.guard(order::router(&state).merge(operators)),
        gate,
        writer_pool,
    })
}

/// Returns when both logins find the schemas they need.
async fn schema(api_pool: PgPool, writer_pool: PgPool) {
    messaging::schema::wait(&writer_pool).await;
    order::schema::wait(&writer_pool).await;
    order::schema::wait(&api_pool).await;
}

fn spawn_consumer(process: &Process, gate: &Gate, config: &OrderConfig, state: &OrderState) {
    let broker = config.broker.clone();
    let metrics = process.metrics.messaging.clone();
    let consumer = order::consumer(state, broker.clone(), metrics);
    process.spawn_behind(gate, Stage::Consume, "order consumer", async move |stop| {
        let topology = topology::wait(&broker, &ORDER_PAYMENTS);
        if stop.run_until_cancelled(topology).await.is_some() {
            consumer.run(stop).await;
        }
    });
}
