//! Reading transactions of the `api` login, with row level security told whose rows they may see.

use contracts::UserId;
use messaging::pool::Pool;
use sqlx::PgTransaction;

use super::position::{Position, parse};

/// How a reading transaction begins: all its statements see one snapshot, and none of them can write.
const BEGIN: &str = "begin isolation level repeatable read read only";

/// Begins a transaction that sees this user's rows and nobody else's.
pub(crate) async fn begin_as(
    pool: &Pool,
    user_id: UserId,
) -> Result<PgTransaction<'static>, sqlx::Error> {
    let mut tx = pool.begin_with(BEGIN).await?;
    sqlx::query!(
        "select set_config('gozon.user_id', $1, true)",
        user_id.to_string()
    )
    .fetch_one(&mut *tx)
    .await?;
    Ok(tx)
}

/// The same, and the place in the status history that its snapshot is: for a reader who will find out which of the
/// transactions it has passed were on disk (see [`Position::up_to`]).
pub(crate) async fn begin_snapshot_as(
    pool: &Pool,
    user_id: UserId,
) -> Result<(PgTransaction<'static>, Position), sqlx::Error> {
    let mut tx = pool.begin_with(BEGIN).await?;
    let row = sqlx::query!(
        r#"select set_config('gozon.user_id', $1::bigint::text, true),
                  pg_current_snapshot()::text as "snapshot!",
                  (pg_control_system()).system_identifier as "system_identifier!""#,
        user_id.as_i64()
    )
    .fetch_one(&mut *tx)
    .await?;
    let position = Position {
        system_identifier: row.system_identifier,
        snapshot: parse(&row.snapshot)?,
    };
    Ok((tx, position))
}
