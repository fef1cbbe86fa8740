//! An account as the API shows it.

use contracts::{AccountId, Money, UserId};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::storage::account::Account;

/// What a user can spend.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account)]
pub(crate) struct AccountBody {
    #[schema(value_type = uuid::Uuid)]
    id: AccountId,
    /// Whose account.
    #[schema(value_type = i64, minimum = 1)]
    user_id: UserId,
    /// The sum of the account's ledger entries; never negative.
    #[schema(value_type = chassis::openapi::Money)]
    balance: Money,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    created_at: OffsetDateTime,
}

impl From<Account> for AccountBody {
    fn from(account: Account) -> Self {
        Self {
            id: account.id,
            user_id: account.user_id,
            balance: account.balance,
            created_at: account.created_at,
        }
    }
}
