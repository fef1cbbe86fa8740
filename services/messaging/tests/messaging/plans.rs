//! The plans of the hot statements: an index range each, whatever lies beside it, and the same few buffers when there is
//! nothing to do. Each is planned while its tables are empty, as by a program that starts with a new shop, and carried out
//! when they are full.

mod due;
mod inbox;
mod outbox;
mod relay;
mod watch;

use sqlx::{PgPool, pool::PoolConnection};
use tests::{Login, TestDatabase, plan};

/// A role's connection that has planned the statement with these parts in an empty database.
async fn planned(
    db: &TestDatabase,
    login: Login,
    parts: &[&str],
) -> PoolConnection<sqlx::Postgres> {
    plan::planned(db, login, env!("CARGO_MANIFEST_DIR"), parts).await
}

async fn execute(admin: &PgPool, sql: &'static str) {
    sqlx::raw_sql(sql).execute(admin).await.unwrap();
}
