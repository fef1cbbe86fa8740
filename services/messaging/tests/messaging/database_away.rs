//! The database away: what is in hand is kept, what waits in the queue is left to others, and work goes on by itself.

use std::time::Duration;

use messaging::{
    metrics::{Metrics, QueueLabels},
    topology::PAYMENT_ORDERS,
};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tests::{Instance, TestDatabase, poll_until};
use tokio_util::sync::CancellationToken;

use crate::support::{
    DEADLINE, broker, consumer, database, effects, event, letters, measured_consumer, placed,
    publish, schedule,
};

/// A connection to the server that needs no connection to the test's database.
async fn server() -> PgConnection {
    let mut url = Instance::OfThisRun.url("GOZON_POSTGRES_ADMIN_URL");
    url.set_path("postgres");
    PgConnection::connect(url.as_str()).await.unwrap()
}

/// Sends everybody out of the database, or lets them in again.
pub(crate) async fn set_away(db: &TestDatabase, away: bool) {
    let mut server = server().await;
    let name = db.name();
    let statement = format!("alter database \"{name}\" with allow_connections {}", !away);
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut server)
        .await
        .unwrap();
    if away {
        sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1")
            .bind(name)
            .execute(&mut server)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_consumer_without_its_database_keeps_what_it_has_and_takes_nothing_more() {
    let (db, (vhost, raw)) = tokio::join!(database(), broker());
    let stop = CancellationToken::new();
    let metrics = Metrics::default();
    let consumer = measured_consumer(&db, &vhost, metrics.clone());
    let running = tokio::spawn(consumer.run(stop.clone()));
    publish(&raw, &[event(&placed(100))]).await;
    poll_until("the first effect", DEADLINE, async || {
        (effects(&db.admin_pool()).await == 1).then_some(())
    })
    .await;

    set_away(&db, true).await;
    publish(&raw, &[event(&placed(200))]).await;
    // The consumer learns it from the message it takes; those behind it are left to others.
    let mut published = 2;
    poll_until("messages stay in the queue", DEADLINE, async || {
        published += 1;
        publish(&raw, &[event(&placed(300))]).await;
        (raw.depth(PAYMENT_ORDERS.name).await? > 0).then_some(())
    })
    .await;
    // What crosses the cancellation on its way is put back by the broker; what was taken is kept.
    let waiting = raw.peek(PAYMENT_ORDERS.name, 60).await;
    let taken = "\"amount_minor\":200";
    let is_back = waiting
        .iter()
        .any(|message| String::from_utf8_lossy(&message.data).contains(taken));
    assert!(!waiting.is_empty() && !is_back, "nothing was sent back");
    let queue = PAYMENT_ORDERS.name;
    let paused = metrics
        .inbox
        .paused
        .get_or_create_owned(&QueueLabels { queue });
    assert_eq!(paused.get(), 1);
    assert!(published < 60, "it is not the prefetch that holds them up");

    set_away(&db, false).await;
    let pool = db.admin_pool();
    poll_until("everything is settled", DEADLINE, async || {
        (effects(&pool).await == published).then_some(())
    })
    .await;
    poll_until("and acknowledged", DEADLINE, async || {
        (raw.depth(PAYMENT_ORDERS.name).await? == 0 && paused.get() == 0).then_some(())
    })
    .await;
    assert_eq!(letters(&pool).await, Vec::<String>::new());
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn deliveries_go_back_to_the_queue_when_the_database_is_away_for_too_long() {
    let (db, (vhost, raw)) = tokio::join!(database(), broker());
    let impatient = messaging::consumer::Schedule {
        keep_deliveries: Duration::from_millis(100),
        ..schedule()
    };
    let stop = CancellationToken::new();
    let running = tokio::spawn(
        consumer(&db, &vhost)
            .with_schedule(impatient)
            .run(stop.clone()),
    );
    publish(&raw, &[event(&placed(100))]).await;
    poll_until("the first effect", DEADLINE, async || {
        (effects(&db.admin_pool()).await == 1).then_some(())
    })
    .await;
    set_away(&db, true).await;
    publish(&raw, &[event(&placed(200))]).await;
    poll_until("the message is back in the queue", DEADLINE, async || {
        let waiting = raw.peek(PAYMENT_ORDERS.name, 1).await;
        waiting.first()?.redelivered.then_some(())
    })
    .await;
    set_away(&db, false).await;
    let pool = db.admin_pool();
    poll_until("the second effect", DEADLINE, async || {
        (effects(&pool).await == 2).then_some(())
    })
    .await;
    stop.cancel();
    running.await.unwrap();
}
