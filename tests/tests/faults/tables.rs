//! A service's own tables, whatever they are.

use sqlx::PgPool;
use tests::Service;

/// All of them, as a list for a statement. The schema has the service's name.
pub(crate) async fn tables_of(admin: &PgPool, service: Service) -> String {
    let tables: Vec<String> = sqlx::query_scalar(
        "select format('%I.%I', schemaname, tablename)
         from pg_tables
         where schemaname = $1 and tablename <> '_migrations'",
    )
    .bind(service.name())
    .fetch_all(admin)
    .await
    .unwrap();
    assert!(!tables.is_empty());
    tables.join(", ")
}
