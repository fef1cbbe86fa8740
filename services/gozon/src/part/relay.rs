//! The relays of one database as a part of a process.

use chassis::{Stage, pool::PoolSettings};
use messaging::{
    doorbell::Doorbell,
    topology::{self, ORDER_PAYMENTS, PAYMENT_ORDERS},
    watch::{OutboxWatch, QueueWatch},
};
use relay::{Relay, Settings};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    config::{Database, RelayConfig},
    gate::Gate,
    process::Process,
};

/// Adds a relay, which shares the database's lanes with those of other processes, and the doorbell that wakes it.
pub(crate) fn add(
    process: &mut Process,
    config: &RelayConfig,
    outbox_bell: Doorbell,
) -> anyhow::Result<()> {
    let names = Names::of(config.database);
    let pool = process.pool(&config.url, &PoolSettings::for_relay(names.pool))?;
    process.check_database(names.check, config.database.as_str(), &config.url)?;
    let gate = process.gate(names.schema, schema(pool.clone()));
    let settings = Settings {
        // A process id is not unique across containers; nothing else has to be known to be unique.
        name: format!("{}-{}", config.database.as_str(), Uuid::new_v4()),
        database: config.database.as_str(),
        events_per_message: config.events_per_message,
    };
    spawn_relay(
        process,
        &gate,
        names.relay,
        config,
        settings,
        &pool,
        &outbox_bell,
    );
    spawn_watches(process, &gate, config, &pool);
    super::spawn_doorbell(process, &gate, names.doorbell, outbox_bell, pool);
    Ok(())
}

/// What its tasks and checks are called.
struct Names {
    pool: &'static str,
    check: &'static str,
    schema: &'static str,
    relay: &'static str,
    doorbell: &'static str,
}

impl Names {
    const fn of(database: Database) -> Self {
        match database {
            Database::Orders => Self {
                pool: "gozon orders relay",
                check: "orders database, for its relays",
                schema: "orders outbox schema",
                relay: "orders relay",
                doorbell: "orders outbox doorbell",
            },
            Database::Payments => Self {
                pool: "gozon payments relay",
                check: "payments database, for its relays",
                schema: "payments outbox schema",
                relay: "payments relay",
                doorbell: "payments outbox doorbell",
            },
        }
    }
}

async fn schema(pool: PgPool) {
    messaging::schema::wait(&pool).await;
}

/// Shows what waits in the outbox, and in the queue that it fills.
fn spawn_watches(process: &Process, gate: &Gate, config: &RelayConfig, pool: &PgPool) {
    let metrics = &process.metrics.messaging;
    let database = config.database.as_str();
    let outbox = OutboxWatch::new(database, pool.clone(), metrics.outbox.clone());
    process.spawn_behind(gate, Stage::Support, "outbox watch", |stop| {
        outbox.run(stop)
    });
    let filled = match config.database {
        Database::Orders => PAYMENT_ORDERS,
        Database::Payments => ORDER_PAYMENTS,
    };
    let queue = QueueWatch::new(filled, config.broker.clone(), metrics.queues.clone());
    process.spawn_behind(gate, Stage::Support, "queue watch", |stop| queue.run(stop));
}

fn spawn_relay(
    process: &Process,
    gate: &Gate,
    name: &'static str,
    config: &RelayConfig,
    settings: Settings,
    pool: &PgPool,
    outbox_bell: &Doorbell,
) {
    let broker = config.broker.clone();
    let relay = Relay::new(
        settings,
        pool.clone(),
        broker.clone(),
        outbox_bell.bell(),
        process.metrics.messaging.clone(),
    );
    process.spawn_behind(gate, Stage::Relay, name, async move |stop| {
        let queues = async {
            for queue in &topology::QUEUES {
                topology::wait(&broker, queue).await;
            }
        };
        if stop.run_until_cancelled(queues).await.is_some() {
            relay.run(stop).await;
        }
    });
}
