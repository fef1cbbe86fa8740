//! Whether the databases of a process can be used, as its readiness asks them, and asked every few seconds for those who are
//! not asking.

use std::time::Duration;

use chassis::{metrics::Registry, readiness::CHECK_TIME_MAX};
use contracts::metrics::{Announce, Readings};
use messaging::metrics::DatabaseLabels;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

/// How often a database is asked.
const EVERY: Duration = Duration::from_secs(5);

/// Whether databases can be used; clones show together.
#[derive(Debug, Clone)]
pub(crate) struct Databases(Readings<DatabaseLabels>);

impl Databases {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let up = Readings::default();
        registry.announce(
            "gozon_database_up",
            "1 while this process can use the database, else 0",
            up.clone(),
        );
        Self(up)
    }

    /// Asks a database until stopped.
    pub(crate) async fn watch(
        &self,
        database: &'static str,
        pool: PgPool,
        stop: &CancellationToken,
    ) {
        let watch = async {
            loop {
                let answer = tokio::time::timeout(CHECK_TIME_MAX, ask(&pool)).await;
                let is_up = matches!(answer, Ok(Ok(())));
                let labels = DatabaseLabels { database };
                self.0.show(database, [(labels, i64::from(is_up))]);
                tokio::time::sleep(EVERY).await;
            }
        };
        stop.run_until_cancelled(watch).await;
    }
}

/// The question.
pub(crate) async fn ask(pool: &PgPool) -> Result<(), sqlx::Error> {
    sqlx::query("select 1").execute(pool).await?;
    Ok(())
}
