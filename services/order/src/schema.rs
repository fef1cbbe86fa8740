//! The schema `orders`: migrating it, granting it to the login roles, and waiting for it.

use messaging::schema::{MigrateError, Roles, quote_identifier};
use sqlx::{PgConnection, PgPool, migrate::Migrator};

/// The migrations of the schema `orders`.
static MIGRATOR: Migrator = sqlx::migrate!();

/// What the other version has besides, so that a test can roll between two schemas and back.
#[cfg(feature = "other-version")]
static OF_THE_OTHER_VERSION: Migrator = sqlx::migrate!("./other-version");

/// The owner of a row, as the `api` login says with `set_config`; null, and so nobody, where it was not said.
const OWNER_SAID: &str = "user_id = nullif(current_setting('gozon.user_id', true), '')::bigint";

/// Brings the schema up to date and grants it to the login roles; may be called again at any time. As owner, after
/// [`messaging::schema::migrate`].
pub async fn migrate(connection: &mut PgConnection, roles: &Roles) -> Result<(), MigrateError> {
    messaging::schema::run(&MIGRATOR, connection).await?;
    #[cfg(feature = "other-version")]
    messaging::schema::run(&OF_THE_OTHER_VERSION, connection).await?;
    let policies = missing_policies(connection, roles).await?;
    messaging::schema::grant(connection, &format!("{policies}{}", grants(roles))).await?;
    Ok(())
}

/// Returns when the schema is at least as new as this binary and granted to this role.
pub async fn wait(pool: &PgPool) {
    messaging::schema::wait_for(pool, &MIGRATOR).await;
    #[cfg(feature = "other-version")]
    messaging::schema::wait_for(pool, &OF_THE_OTHER_VERSION).await;
}

/// A policy of row level security: which rows a role sees, and may write where it was granted to write at all.
struct Policy<'r> {
    table: &'static str,
    name: &'static str,
    role: &'r str,
    rows: &'static str,
}

/// All policies: `api` sees the rows of the user it speaks for; who works for everybody sees all.
fn policies(roles: &Roles) -> Vec<Policy<'_>> {
    let mut policies = Vec::new();
    for table in ["orders", "status_history", "repeated_request"] {
        for (name, role, rows) in [
            ("own_rows", &roles.api, OWNER_SAID),
            ("writer", &roles.writer, "true"),
            ("audit", &roles.audit, "true"),
        ] {
            policies.push(Policy {
                table,
                name,
                role,
                rows,
            });
        }
    }
    if let Some(role) = &roles.everyone {
        policies.push(Policy {
            table: "orders",
            name: "everyone",
            role,
            rows: "true",
        });
    }
    policies
}

/// Statements for the policies that are not there yet, or for another role. Those that are stay untouched, because even
/// making a policy again would lock its table against everybody for a moment.
async fn missing_policies(
    connection: &mut PgConnection,
    roles: &Roles,
) -> Result<String, sqlx::Error> {
    let present = sqlx::query!(
        r#"select tablename::text as "table!", policyname::text as "name!", roles::text[] as "roles!"
        from pg_policies
        where schemaname = 'orders'"#
    )
    .fetch_all(connection)
    .await?;
    let mut statements = Vec::new();
    let wanted = policies(roles);
    for Policy {
        table,
        name,
        role,
        rows,
    } in &wanted
    {
        let is_there = present.iter().any(|policy| {
            policy.table == *table && policy.name == *name && policy.roles == [*role]
        });
        if !is_there {
            let role = quote_identifier(role);
            statements.push(format!(
                "drop policy if exists {name} on orders.{table};
                create policy {name} on orders.{table} to {role} using ({rows}) with check ({rows});"
            ));
        }
    }
    for policy in present {
        if wanted.iter().all(|wanted| wanted.name != policy.name) {
            let name = quote_identifier(&policy.name);
            statements.push(format!("drop policy {name} on orders.{};", policy.table));
        }
    }
    Ok(statements.concat())
}

/// Who may do what. The history can only grow, and nobody but Postgres fills its `xid` and `id`. The reading of the
/// migrations table comes last: `wait` tells by it that the rest was granted.
fn grants(roles: &Roles) -> String {
    let [api, writer, audit] =
        [&roles.api, &roles.writer, &roles.audit].map(|role| quote_identifier(role));
    let everyone = roles
        .everyone
        .as_deref()
        .map(quote_identifier)
        .map(|everyone| {
            format!(
                "grant usage on schema orders to {everyone};
            grant select on orders.orders to {everyone};"
            )
        });
    format!(
        "grant usage on schema orders to {api}, {writer}, {audit};
        grant select on orders.orders, orders.status_history, orders.repeated_request to {api}, {writer};
        grant insert on orders.orders to {writer};
        grant update (status, version, reason, decided_at) on orders.orders to {writer};
        grant insert (order_id, user_id, version, status, reason, at, payment_received_at, payment_decided_at,
                      traceparent, event_id)
            on orders.status_history to {writer};
        grant insert on orders.repeated_request to {writer};
        grant select, insert on orders.reconciler to {writer};
        grant update (holder, lease_until, mark, refund_mark_at, refund_mark_order_id) on orders.reconciler to {writer};
        grant select, insert, delete on orders.stuck, orders.push_log to {writer};
        grant update (status, since, attempts, requested_at, next_attempt_at) on orders.stuck to {writer};
        grant select on all tables in schema orders to {audit};
        {}
        grant select on orders._migrations to {api}, {writer}, {audit}",
        everyone.unwrap_or_default()
    )
}
