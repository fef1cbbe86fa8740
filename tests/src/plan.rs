//! How the server carries out a statement of the program: the checked text itself, planned once for all its parameters, as
//! the program's pools have it.

use std::path::Path;

use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, pool::PoolConnection};

use crate::{Login, TestDatabase};

/// The settings under which the program's connections plan: once, and by an index wherever there is one.
pub const AS_THE_PROGRAM: &str =
    "set plan_cache_mode = force_generic_plan; set enable_seqscan = off";

/// The name of a statement that is the only one of its connection.
const HOT: &str = "hot";

/// The text of the one checked statement of a crate that contains all these parts.
///
/// # Panics
/// When there is none, or more than one.
#[must_use]
pub fn statement(crate_folder: &str, parts: &[&str]) -> String {
    let folder = Path::new(crate_folder).join(".sqlx");
    let files = std::fs::read_dir(folder).expect("a crate with statements has its folder");
    let mut found: Vec<String> = files
        .map(|file| {
            let path = file.expect("the folder can be read").path();
            let text = std::fs::read_to_string(path).expect("the file can be read");
            let checked: Value = serde_json::from_str(&text).expect("it is JSON");
            let query = checked["query"].as_str();
            query.expect("it has the statement's text").to_owned()
        })
        .filter(|query| parts.iter().all(|part| query.contains(part)))
        .collect();
    assert_eq!(found.len(), 1, "{parts:?}: {found:#?}");
    found.remove(0)
}

/// A role's connection that has planned the one checked statement of a crate that contains these parts.
///
/// # Panics
/// When there is none, or more than one, or when the server refuses.
pub async fn planned(
    db: &TestDatabase,
    login: Login,
    crate_folder: &str,
    parts: &[&str],
) -> PoolConnection<Postgres> {
    let connection = db.pool(login).acquire().await;
    let mut connection = connection.expect("the role can connect");
    prepare(&mut connection, HOT, &statement(crate_folder, parts)).await;
    connection
}

/// Carries the statement of a connection from [`planned`] out with these values, and says how.
///
/// # Panics
/// When the server refuses.
pub async fn run(connection: &mut PgConnection, values: &[&str]) -> Plan {
    explain(connection, HOT, values).await
}

/// Has a connection plan a statement, which keeps the plan it makes now.
///
/// # Panics
/// When the server refuses.
pub async fn prepare(connection: &mut PgConnection, name: &str, statement: &str) {
    let prepare = format!("{AS_THE_PROGRAM}; prepare {name} as {statement}");
    sqlx::raw_sql(AssertSqlSafe(prepare))
        .execute(&mut *connection)
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
    // Postgres makes the plan of a prepared statement where it is first asked for.
    outline(connection, name).await;
}

/// The plan of a prepared statement, which is not carried out.
///
/// # Panics
/// When the server refuses.
pub async fn outline(connection: &mut PgConnection, name: &str) -> Plan {
    let parameters: i32 = sqlx::query_scalar(
        "select cardinality(parameter_types) from pg_prepared_statements where name = $1",
    )
    .bind(name)
    .persistent(false)
    .fetch_one(&mut *connection)
    .await
    .unwrap_or_else(|error| panic!("{name}: {error}"));
    let nulls = (0..parameters).map(|_| "null".to_owned()).collect();
    plan(connection, "explain (costs off)", name, nulls).await
}

/// Carries a prepared statement out with these values, and says how.
///
/// # Panics
/// When the server refuses.
pub async fn explain(connection: &mut PgConnection, name: &str, values: &[&str]) -> Plan {
    let values = values.iter().map(|value| format!("'{value}'")).collect();
    let carried_out = "explain (analyze, buffers, costs off)";
    plan(connection, carried_out, name, values).await
}

async fn plan(
    connection: &mut PgConnection,
    explain: &str,
    name: &str,
    values: Vec<String>,
) -> Plan {
    let values = match values.as_slice() {
        [] => String::new(),
        values => format!("({})", values.join(", ")),
    };
    let lines: Vec<String> =
        sqlx::query_scalar(AssertSqlSafe(format!("{explain} execute {name}{values}")))
            .persistent(false)
            .fetch_all(connection)
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    Plan(lines.join("\n"))
}

/// How the server carries a statement out.
#[derive(Debug, Clone)]
pub struct Plan(pub String);

impl Plan {
    /// How many buffers carrying it out touched.
    ///
    /// # Panics
    /// When the plan does not say.
    #[must_use]
    pub fn buffers(&self) -> u64 {
        let Self(plan) = self;
        let line = plan.lines().find(|line| line.contains("Buffers: "));
        let counts = line.unwrap_or_default().split(' ').filter_map(|word| {
            let (what, count) = word.split_once('=')?;
            matches!(what, "hit" | "read").then(|| count.parse::<u64>().expect("a count"))
        });
        counts.sum()
    }

    /// It reads by this index and scans no table.
    ///
    /// # Panics
    /// When that is not so.
    pub fn assert_reads_by(&self, index: &str) {
        let Self(plan) = self;
        assert!(plan.contains(index), "{index} is not used:\n{plan}");
        self.assert_scans_no_table();
    }

    /// It may scan other tables, small ones that are meant whole, but not this one or its partitions.
    ///
    /// # Panics
    /// When it does.
    pub fn assert_never_scans(&self, table: &str) {
        let Self(plan) = self;
        assert!(
            !plan.contains(&format!("Seq Scan on {table}")),
            "the whole of {table} is read:\n{plan}"
        );
    }

    /// It scans no table.
    ///
    /// # Panics
    /// When it does.
    pub fn assert_scans_no_table(&self) {
        let Self(plan) = self;
        assert!(
            !plan.contains("Seq Scan on "),
            "a table is scanned:\n{plan}"
        );
    }
}
