//! The schema `payments`: migrating it, granting it, and waiting for it.

use std::collections::HashSet;

use messaging::schema::{MigrateError, Roles, quote_identifier};
use sqlx::{PgConnection, PgPool, migrate::Migrator};

/// The migrations of the schema `payments`.
static MIGRATOR: Migrator = sqlx::migrate!();

/// Brings the schema up to date and grants it to the login roles. As owner; may be run again at any time.
pub async fn migrate(connection: &mut PgConnection, roles: &Roles) -> Result<(), MigrateError> {
    messaging::schema::run(&MIGRATOR, connection).await?;
    let statements = format!(
        "{}; {}",
        missing_policies(connection, roles).await?,
        grants(roles)
    );
    messaging::schema::grant(connection, &statements).await?;
    Ok(())
}

/// Returns when the schema is at least as new as this binary and granted to the pool's role.
pub async fn wait(pool: &PgPool) {
    messaging::schema::wait_for(pool, &MIGRATOR).await;
}

/// Who may do what. A decision, once written, and a ledger entry are for good: nobody may change or delete them, and of
/// an account nothing but its balance changes. Reading the migrations table comes last, for `wait` tells by it that the
/// rest was granted.
fn grants(roles: &Roles) -> String {
    let api = quote_identifier(&roles.api);
    let writer = quote_identifier(&roles.writer);
    let audit = quote_identifier(&roles.audit);
    format!(
        "grant usage on schema payments to {api}, {writer}, {audit};
        grant select on payments.account, payments.ledger_entry to {api};
        grant select, insert on payments.account, payments.payment, payments.ledger_entry to {writer};
        grant update (balance_minor) on payments.account to {writer};
        grant select, insert on payments.ledger_check to {writer};
        grant update (completed_at, accounts, drifting_accounts, drift_minor) on payments.ledger_check to {writer};
        grant select on payments.account, payments.payment, payments.ledger_entry, payments.ledger_check to {audit};
        grant select on payments._migrations to {api}, {writer}, {audit}"
    )
}

/// A policy: which rows of a table a role sees. It has the role's name.
struct Policy<'a> {
    table: &'static str,
    role: &'a str,
    command: &'static str,
    rows: String,
}

/// Which rows each role sees: `api` those of the user its transaction is told of, and none without one; the writer and
/// the audit all. One login may be several of them: then the one that sees most counts, which comes first.
fn policies(roles: &Roles) -> Vec<Policy<'_>> {
    const USER: &str = "nullif(current_setting('gozon.user_id', true), '')::bigint";
    let policy = |table, role, command, rows| Policy {
        table,
        role,
        command,
        rows,
    };
    let own_account = format!("user_id = {USER}");
    let own_entries =
        format!("account_id = (select id from payments.account where user_id = {USER})");
    let mut policies = Vec::new();
    for table in ["account", "payment", "ledger_entry"] {
        policies.push(policy(table, &roles.writer, "all", "true".to_owned()));
        policies.push(policy(table, &roles.audit, "select", "true".to_owned()));
    }
    policies.push(policy("account", &roles.api, "select", own_account));
    policies.push(policy("ledger_entry", &roles.api, "select", own_entries));
    let mut seen = HashSet::new();
    policies.retain(|policy| seen.insert((policy.table, policy.role)));
    policies
}

/// The statements for the policies that are not there. Making one anew each time would lock its table each time.
async fn missing_policies(
    connection: &mut PgConnection,
    roles: &Roles,
) -> Result<String, sqlx::Error> {
    let present: HashSet<(String, String)> = sqlx::query!(
        r#"select tablename as "table!", policyname as "name!" from pg_policies where schemaname = 'payments'"#
    )
    .fetch_all(connection)
    .await?
    .into_iter()
    .map(|policy| (policy.table, policy.name))
    .collect();
    let statements: Vec<_> = policies(roles)
        .into_iter()
        .filter(|policy| !present.contains(&(policy.table.to_owned(), policy.role.to_owned())))
        .map(|Policy { table, role, command, rows }| {
            let role = quote_identifier(role);
            format!("create policy {role} on payments.{table} for {command} to {role} using ({rows})")
        })
        .collect();
    Ok(statements.join("; "))
}

#[cfg(test)]
mod tests;
