//! Snapshots that are held: while one is, nothing that was deleted or updated since can be cleared away.

use sqlx::PgConnection;

/// The session that holds the oldest snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldSnapshot {
    /// What it calls itself.
    pub application_name: String,
    /// How long its transaction has run.
    pub age_seconds: f64,
}

/// The oldest snapshot held in this database by another session; none if there is none. Of sessions of other roles it is
/// seen only by whoever has the role `pg_read_all_stats`. What clears away holds no snapshot against itself.
pub async fn oldest_held_snapshot(
    connection: &mut PgConnection,
) -> Result<Option<HeldSnapshot>, sqlx::Error> {
    sqlx::query_as!(
        HeldSnapshot,
        r#"select coalesce(application_name, '') as "application_name!",
                  extract(epoch from clock_timestamp() - xact_start)::float8 as "age_seconds!"
           from pg_stat_activity
           where datname = current_database() and backend_xmin is not null and xact_start is not null
             and pid <> pg_backend_pid() and backend_type is distinct from 'autovacuum worker'
           order by xact_start
           limit 1"#
    )
    .fetch_optional(connection)
    .await
}
