//! Whether a database's schema is new enough for a process to begin.

use messaging::schema;
use sqlx::migrate::Migrator;
use tests::{Login, TestDatabase};

use crate::support::database;

static KNOWN: Migrator = sqlx::migrate!();

async fn missing(db: &TestDatabase) -> Vec<i64> {
    schema::missing(&db.pool(Login::Writer), &KNOWN)
        .await
        .unwrap()
}

async fn run(db: &TestDatabase, statement: &'static str) {
    sqlx::raw_sql(statement)
        .execute(&db.admin_pool())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_newer_version_does_not_stand_for_an_older_one() {
    let db = database().await;
    assert_eq!(missing(&db).await, Vec::<i64>::new());
    run(
        &db,
        "update messaging._migrations set success = false where version = 3;
         delete from messaging._migrations where version = 5",
    )
    .await;
    assert_eq!(missing(&db).await, [3, 5]);
}

#[tokio::test]
async fn a_version_that_only_a_newer_binary_knows_is_tolerated() {
    let db = database().await;
    run(
        &db,
        "insert into messaging._migrations (version, description, success, checksum, execution_time)
         values (9999, 'of tomorrow', true, '', 0)",
    )
    .await;
    assert_eq!(missing(&db).await, Vec::<i64>::new());
    schema::wait(&db.pool(Login::Relay)).await;
}
