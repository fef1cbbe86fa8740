//! `POST /api/v1/account`: opens the caller's account.

use axum::extract::State;
use chassis::{
    Principal, Problem,
    extract::{IdempotencyKeyHeader, Json},
};
use contracts::{AccountId, Money};
use http::StatusCode;
use messaging::idempotency::{Claim, claim, digest};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{account::AccountBody, idempotency_key};
use crate::{
    PaymentSettings,
    error::Error,
    storage::account::{self, Account},
};

/// Nothing is to be said; may be left out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenAccount {}

/// Open an account
///
/// The account is empty. A user has one account: whoever has it already gets it as it stands, and nothing changes.
#[utoipa::path(
    post,
    path = "/api/v1/account",
    tag = "account",
    security(("session" = []), ("bearer" = [])),
    params(("Idempotency-Key" = String, Header, description = "1 to 128 visible ASCII characters")),
    request_body(content = OpenAccount, description = "May be left out"),
    responses(
        (status = 201, description = "The account was opened", body = AccountBody),
        (status = 200, description = "There was an account already", body = AccountBody),
        (status = 400, description = "`idempotency_key_missing`, `idempotency_key_invalid`, `malformed_json`",
            body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_body`, `idempotency_key_reused`",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn open_account(
    State(settings): State<PaymentSettings>,
    principal: Principal,
    key: IdempotencyKeyHeader,
    _nothing: Option<Json<OpenAccount>>,
) -> Result<(StatusCode, Json<AccountBody>), Error> {
    let user_id = principal.user_id;
    let id = AccountId::new();
    let request = digest("open_account", &());
    let mut tx = settings.writer_pool.begin().await?;
    let (status, account) = match claim(
        &mut tx,
        user_id,
        &idempotency_key(&key),
        &request,
        id.as_uuid(),
    )
    .await?
    {
        Claim::Reused => return Err(Error::KeyReused),
        Claim::Replay { .. } => {
            let account = existing(&mut tx, user_id).await?;
            (StatusCode::CREATED, as_opened(account))
        }
        Claim::Fresh => match account::open(&mut tx, id, user_id).await? {
            Some(account) => {
                tx.commit().await?;
                (StatusCode::CREATED, account)
            }
            // Nothing was done under this key, so the transaction ends here and the key stays free.
            None => (StatusCode::OK, existing(&mut tx, user_id).await?),
        },
    };
    Ok((status, Json(account.into())))
}

/// The account that must be there, because something that never goes away says so.
async fn existing(
    tx: &mut sqlx::PgTransaction<'_>,
    user_id: contracts::UserId,
) -> Result<Account, Error> {
    let account = account::find(tx, user_id).await?;
    Ok(account.ok_or(sqlx::Error::RowNotFound)?)
}

/// The account as it was when it was opened, which is what the first answer said.
fn as_opened(account: Account) -> Account {
    Account {
        balance: Money {
            amount_minor: 0,
            ..account.balance
        },
        ..account
    }
}

#[cfg(test)]
mod tests;
