//! The schema `messaging` in a service's database: migrating it, granting it, and waiting for it.

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgConnection, PgPool, migrate::Migrator};

/// The migrations of the schema `messaging`.
static MIGRATOR: Migrator = sqlx::migrate!();

/// How often a waiting process looks whether the schema is there.
const WAIT_STEP: Duration = Duration::from_millis(500);

/// The names of a database's login roles, created by whoever sets the database up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles {
    /// Reads for the API, behind row-level security.
    pub api: String,
    /// Intake and settlement.
    pub writer: String,
    /// Publishes the outbox.
    pub relay: String,
    /// Reads everything.
    pub audit: String,
    /// The original's list of all orders, in demo mode only.
    pub everyone: Option<String>,
}

/// How migrating can fail.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A migration failed or was changed after it was applied.
    #[error("the migrations could not be applied")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A grant or an upkeep statement failed.
    #[error("the grants could not be given")]
    Grant(#[from] sqlx::Error),
}

/// Brings the schema up to date, grants it to the login roles and makes the partitions of the days ahead. As owner.
pub async fn migrate(connection: &mut PgConnection, roles: &Roles) -> Result<(), MigrateError> {
    run(&MIGRATOR, connection).await?;
    grant(connection, &grants(roles)).await?;
    crate::outbox::maintain_partitions(connection).await?;
    Ok(())
}

/// Applies a service's migrations. A newer applied version is tolerated: after a rollback the older binary must start.
pub async fn run(
    migrator: &'static Migrator,
    connection: &mut PgConnection,
) -> Result<(), MigrateError> {
    let mut tolerant = Migrator {
        ignore_missing: true,
        ..Migrator::DEFAULT
    };
    tolerant.migrations = migrator.migrations.clone();
    tolerant.table_name = migrator.table_name.clone();
    tolerant.create_schemas = migrator.create_schemas.clone();
    tolerant.run_direct(None, connection, false).await?;
    Ok(())
}

/// Carries out grants, all or none of them; each may be given again.
pub async fn grant(connection: &mut PgConnection, statements: &str) -> Result<(), sqlx::Error> {
    let text = format!("begin; {statements}; commit");
    sqlx::raw_sql(AssertSqlSafe(text))
        .execute(connection)
        .await?;
    Ok(())
}

/// Returns when the schema `messaging` is at least as new as this binary and granted to this role.
pub async fn wait(pool: &PgPool) {
    wait_for(pool, &MIGRATOR).await;
}

/// Returns when a service's schema is at least as new as this binary and granted to this role.
pub async fn wait_for(pool: &PgPool, migrator: &'static Migrator) {
    let mut told = false;
    loop {
        let missing = missing(pool, migrator).await;
        if matches!(&missing, Ok(versions) if versions.is_empty()) {
            return;
        }
        if !told {
            tracing::info!(
                table = %migrator.table_name,
                missing = missing.as_ref().ok().map(|versions| format!("{versions:?}")),
                error = missing.as_ref().err().map(|error| error as &dyn std::error::Error),
                "waiting for the database and its schema, which `gozon migrate` makes"
            );
            told = true;
        }
        tokio::time::sleep(WAIT_STEP).await;
    }
}

/// The versions this binary knows that are not applied. A newer one says nothing of an older one: two changes may have
/// come to the schema from two sides, the later number first. Versions that only a newer binary knows do not matter.
pub async fn missing(pool: &PgPool, migrator: &Migrator) -> Result<Vec<i64>, sqlx::Error> {
    let known: Vec<i64> = migrator.iter().map(|migration| migration.version).collect();
    let statement = format!(
        "select version from unnest($1::bigint[]) as known (version)
         where version not in (select version from {} where success)
         order by version",
        migrator.table_name
    );
    sqlx::query_scalar(AssertSqlSafe(statement))
        .bind(known)
        .fetch_all(pool)
        .await
}

/// A name as a quoted SQL identifier.
#[must_use]
pub fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Who may do what in the schema `messaging`; the reading of the migrations table comes last, for `wait_for` tells by it
/// that the rest was granted.
fn grants(roles: &Roles) -> String {
    let [api, writer, relay, audit] =
        [&roles.api, &roles.writer, &roles.relay, &roles.audit].map(|role| quote_identifier(role));
    format!(
        "grant usage on schema messaging to {api}, {writer}, {relay}, {audit};
        grant select on all tables in schema messaging to {audit};
        alter default privileges in schema messaging grant select on tables to {audit};
        grant insert on messaging.outbox to {writer};
        grant select (xid, id, lane, key, event_id, type, appended_at) on messaging.outbox to {writer};
        grant select on messaging.lane, messaging.relay to {writer};
        grant select, insert on messaging.inbox, messaging.duplicate to {writer};
        grant update (times, last_seen_at) on messaging.duplicate to {writer};
        grant select, insert, delete on messaging.dead_letter, messaging.deferred to {writer};
        grant update (occurrences, last_seen_at, attempts, reason_class, reason, redrive_at, redrive_by, redrive_request)
            on messaging.dead_letter to {writer};
        grant update (attempts, next_attempt_at, reason_class, reason) on messaging.deferred to {writer};
        grant select, insert on messaging.operation, messaging.redrive_end to {writer};
        grant select on messaging.redrive_ended to {writer};
        grant select, insert, delete on messaging.consumer to {writer};
        grant update (told_at, connected, paused, unacknowledged, fresh, duplicates, deferred, dead_letters)
            on messaging.consumer to {writer};
        grant select, insert on messaging.idempotency_key to {writer};
        grant update (request_digest, resource_id, created_at) on messaging.idempotency_key to {writer};
        grant execute on function messaging.inbox_horizon() to {writer};
        grant execute on function messaging.transaction_of(xid) to {api}, {writer};
        grant select on messaging.outbox, messaging.lane to {relay};
        grant update (epoch, owner, fence, lease_until, settled, settled_id, part_since, part_until, part_id,
            system_identifier) on messaging.lane to {relay};
        grant select, insert, delete on messaging.relay to {relay};
        grant update (heartbeat, published, broker, told_at) on messaging.relay to {relay};
        grant execute on function messaging.maintain_partitions(), messaging.partitions_ahead(),
            messaging.forget_idempotency_keys(integer), messaging.forget_duplicates(integer),
            messaging.forget_redrive_ends(integer), messaging.adopt_restored(bigint, bigint) to {relay};
        grant insert on messaging.publish_log to {relay};
        grant select, insert on messaging.parked to {relay};
        grant select on messaging.publish_log, messaging.parked to {writer};
        grant select on messaging._migrations to {api}, {writer}, {relay}, {audit}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_cannot_break_out_of_its_quotes() {
        assert_eq!(
            quote_identifier(r#"x" to public; --"#),
            r#""x"" to public; --""#
        );
    }
}
