//! The operators' log: who changed what, and why. A row is written in the transaction of the change it speaks of, and no
//! role may change or delete one.

use serde_json::Value;
use sqlx::{PgConnection, PgTransaction};
use time::OffsetDateTime;

/// The most operations on a page.
pub const MAX_PAGE: i64 = 500;

/// The longest reason, in characters.
pub const MAX_REASON_CHARS: usize = 1_000;

/// A change by an operator, to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation<'a> {
    /// The operator, as the identity provider names them: 1 to 200 characters.
    pub who: &'a str,
    /// What was done, as a dotted name: `dead_letters.redrive`.
    pub action: &'static str,
    /// What was asked for.
    pub parameters: Value,
    /// How many rows it changed.
    pub affected: u64,
    /// Why, in the operator's words, where the action asks for them: 1 to [`MAX_REASON_CHARS`] characters.
    pub reason: Option<&'a str>,
}

/// A recorded operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Grows with time; the cursor of [`list`].
    pub id: i64,
    /// When it was done.
    pub at: OffsetDateTime,
    /// Who did it.
    pub who: String,
    /// What was done.
    pub action: String,
    /// What was asked for.
    pub parameters: Value,
    /// How many rows it changed.
    pub affected: i64,
    /// Why.
    pub reason: Option<String>,
}

/// Records an operation in the transaction of its change, and gives the record's id.
pub async fn record(
    tx: &mut PgTransaction<'_>,
    operation: &Operation<'_>,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        "insert into messaging.operation (who, action, parameters, affected, reason)
         values ($1, $2, $3, $4, $5)
         returning id",
        operation.who,
        operation.action,
        operation.parameters,
        i64::try_from(operation.affected).unwrap_or(i64::MAX),
        operation.reason,
    )
    .fetch_one(&mut **tx)
    .await
}

/// Operations, newest first; `before` is the id of the last one on the page before. At most [`MAX_PAGE`].
pub async fn list(
    connection: &mut PgConnection,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Recorded>, sqlx::Error> {
    sqlx::query_as!(
        Recorded,
        "select id, at, who, action, parameters, affected, reason
         from messaging.operation
         where id < $1
         order by id desc
         limit $2",
        before.unwrap_or(i64::MAX),
        limit.clamp(1, MAX_PAGE),
    )
    .fetch_all(connection)
    .await
}
