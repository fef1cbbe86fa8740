//! Reading transactions of the `api` login, with row-level security told whose rows they may see: the second lock.

use contracts::UserId;
use messaging::pool::Pool;
use sqlx::PgTransaction;

/// Begins a transaction that sees this user's rows and nobody else's.
pub(crate) async fn begin_as(
    pool: &Pool,
    user_id: UserId,
) -> Result<PgTransaction<'static>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    sqlx::query!(
        "select set_config('gozon.user_id', $1, true)",
        user_id.to_string()
    )
    .fetch_one(&mut *tx)
    .await?;
    Ok(tx)
}
