//! The payment service as a part of a process: routes, and the consumer of placed orders.

use std::sync::Arc;

use chassis::{Stage, pool::PoolSettings};
use messaging::{
    doorbell::Doorbell,
    pool::Pool,
    topology::{self, PAYMENT_ORDERS},
    watch::QueueLook,
};
use payment::{LedgerCheck, PaymentSettings, Settlement};
use sqlx::PgPool;

use super::Part;
use crate::{
    config::PaymentConfig,
    gate::Gate,
    ops::{self, OpsState, Settler},
    process::Process,
};

/// Adds the payment service; `outbox_bell` is rung for every decision.
pub(crate) fn add(
    process: &mut Process,
    config: &PaymentConfig,
    outbox_bell: &Doorbell,
) -> anyhow::Result<Part> {
    let api_pool = process.pool(&config.api_url, &PoolSettings::for_api("gozon payment api"))?;
    let writer = PoolSettings::for_writer("gozon payment writer");
    let writer_pool = process.pool(&config.writer_url, &writer)?;
    let database = PAYMENT_ORDERS.database;
    process.check_database("payments database", database, &config.api_url)?;
    let gate = process.gate(
        "payments schema",
        schema(api_pool.clone(), writer_pool.clone()),
    );
    let metrics = payment::Metrics::register(&mut process.metrics.registry);
    let settings = PaymentSettings {
        api_pool: Pool::new(api_pool, &process.metrics.messaging.database),
        writer_pool: Pool::new(writer_pool.clone(), &process.metrics.messaging.database),
        outbox_bell: outbox_bell.clone(),
        session_keys: config.session_keys.clone(),
        profile: config.profile,
        broker: config.broker.clone(),
        metrics: metrics.clone(),
        messaging_metrics: process.metrics.messaging.clone(),
    };
    spawn_consumer(process, &gate, &settings);
    super::spawn_row_watch(process, &gate, PAYMENT_ORDERS, writer_pool.clone());
    let check = LedgerCheck::new(writer_pool.clone(), metrics.clone());
    process.spawn_behind(&gate, Stage::Support, "ledger check", |stop| {
        check.run(stop)
    });
    let operators = ops::router(OpsState {
        settler: Arc::new(Settler::Payment(Settlement::new(
            outbox_bell.clone(),
            metrics,
        ))),
        pool: writer_pool.clone(),
        queue: Arc::new(QueueLook::new(PAYMENT_ORDERS, config.broker.clone())),
        session_keys: config.session_keys.clone(),
        operator_key: config.operator_key.clone(),
    });
    Ok(Part {
        router: gate.guard(payment::router(settings).merge(operators)),
        gate,
        writer_pool,
    })
}

/// Returns when both logins find the schemas they need.
async fn schema(api_pool: PgPool, writer_pool: PgPool) {
    messaging::schema::wait(&writer_pool).await;
    payment::schema::wait(&writer_pool).await;
    payment::schema::wait(&api_pool).await;
}

fn spawn_consumer(process: &Process, gate: &Gate, settings: &PaymentSettings) {
    let broker = settings.broker.clone();
    let consumer = payment::consumer(settings);
    process.spawn_behind(
        gate,
        Stage::Consume,
        "payment consumer",
        async move |stop| {
            let topology = topology::wait(&broker, &PAYMENT_ORDERS);
            if stop.run_until_cancelled(topology).await.is_some() {
                consumer.run(stop).await;
            }
        },
    );
}
