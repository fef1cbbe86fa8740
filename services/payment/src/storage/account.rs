//! Accounts: opening and reading. What changes a balance is the ledger's.

use contracts::{AccountId, Currency, Money, UserId};
use sqlx::{PgConnection, PgTransaction};
use time::OffsetDateTime;

/// An account as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Account {
    /// Its identity.
    pub(crate) id: AccountId,
    /// Whose it is.
    pub(crate) user_id: UserId,
    /// What can be spent.
    pub(crate) balance: Money,
    /// When it was opened.
    pub(crate) created_at: OffsetDateTime,
}

/// A row of `payments.account`.
struct Row {
    id: AccountId,
    user_id: UserId,
    balance_minor: i64,
    created_at: OffsetDateTime,
}

impl From<Row> for Account {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            user_id: row.user_id,
            balance: Money::rub(row.balance_minor),
            created_at: row.created_at,
        }
    }
}

/// Opens the user's account, empty. None if the user has one, also if another transaction opens it at this moment.
pub(crate) async fn open(
    tx: &mut PgTransaction<'_>,
    id: AccountId,
    user_id: UserId,
) -> Result<Option<Account>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        "insert into payments.account (id, user_id, currency) values ($1, $2, $3)
         on conflict on constraint account_user_id_key do nothing
         returning id, user_id, balance_minor, created_at",
        id as _,
        user_id as _,
        Currency::Rub.code(),
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(Account::from))
}

/// The user's account.
pub(crate) async fn find(
    connection: &mut PgConnection,
    user_id: UserId,
) -> Result<Option<Account>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        "select id, user_id, balance_minor, created_at from payments.account where user_id = $1",
        user_id as _,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(Account::from))
}
