//! A connection kept at hand between batches.

use std::time::Duration;

use messaging::{metrics::Metrics, pool::Pool};
use sqlx::{PgConnection, postgres::PgPoolOptions};
use tests::{Login, poll_until};

use crate::support::{DEADLINE, database};

async fn process_of(connection: &mut PgConnection) -> i32 {
    sqlx::query_scalar("select pg_backend_pid()")
        .fetch_one(connection)
        .await
        .unwrap()
}

#[tokio::test]
async fn work_that_goes_on_stays_with_one_connection() {
    let db = database().await;
    let pool = Pool::new(db.pool(Login::Writer), &Metrics::default().database);
    // Others that the pool would hand out in turn.
    let (mut first, second) = (pool.acquire().await.unwrap(), pool.acquire().await.unwrap());
    let kept = process_of(&mut first).await;
    drop(second);
    pool.keep(first);
    for _ in 0..5 {
        let mut connection = pool.acquire().await.unwrap();
        assert_eq!(process_of(&mut connection).await, kept);
        pool.keep(connection);
    }
    // Whoever comes meanwhile has another one.
    let connection = pool.acquire().await.unwrap();
    let mut other = pool.acquire().await.unwrap();
    assert_ne!(process_of(&mut other).await, kept);
    drop((connection, other));
}

#[tokio::test]
async fn a_connection_that_was_lost_while_kept_is_not_handed_out() {
    let db = database().await;
    let pool = Pool::new(db.pool(Login::Writer), &Metrics::default().database);
    let mut connection = pool.acquire().await.unwrap();
    let lost = process_of(&mut connection).await;
    pool.keep(connection);
    sqlx::query("select pg_terminate_backend($1)")
        .bind(lost)
        .execute(&db.admin_pool())
        .await
        .unwrap();
    // As long as it passes for fresh it is handed out: a consumer tries again, and a request is answered 503.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let mut connection = pool.acquire().await.unwrap();
    assert_ne!(process_of(&mut connection).await, lost);
}

#[tokio::test]
async fn a_connection_that_rests_is_there_for_others() {
    let db = database().await;
    let pool = Pool::new(db.pool(Login::Writer), &Metrics::default().database);
    pool.keep(pool.acquire().await.unwrap());
    poll_until("it is back in the pool", DEADLINE, async || {
        (pool.unmeasured().num_idle() == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_last_connection_of_a_pool_rests_and_is_there_again() {
    let db = database().await;
    let full = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(DEADLINE)
        .connect_lazy_with(db.pool(Login::Writer).connect_options().as_ref().clone());
    let pool = Pool::new(full, &Metrics::default().database);
    pool.keep(pool.acquire().await.unwrap());
    // The runtime rests too: nobody has given it back when it is asked for.
    std::thread::sleep(Duration::from_millis(1_100));
    pool.acquire().await.unwrap();
}

#[tokio::test]
async fn a_pool_that_is_closed_does_not_wait_for_what_is_kept() {
    let db = database().await;
    let pool = Pool::new(db.pool(Login::Writer), &Metrics::default().database);
    let (first, second) = (pool.acquire().await.unwrap(), pool.acquire().await.unwrap());
    pool.keep(first);
    let closing = tokio::spawn({
        let pool = pool.unmeasured().clone();
        async move { pool.close().await }
    });
    poll_until("the pool is being closed", DEADLINE, async || {
        pool.unmeasured().is_closed().then_some(())
    })
    .await;
    pool.keep(second);
    tokio::time::timeout(DEADLINE, closing)
        .await
        .unwrap()
        .unwrap();
}
