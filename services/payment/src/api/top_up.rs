//! `POST /api/v1/account/top-ups`: puts money on the caller's account.

use axum::extract::State;
use chassis::{
    Principal, Problem,
    extract::{IdempotencyKeyHeader, Json, RequestMoney},
};
use contracts::{EntryId, Money, UserId};
use http::StatusCode;
use messaging::idempotency::{Claim, claim, digest};
use serde::{Deserialize, Serialize};
use sqlx::PgTransaction;
use utoipa::ToSchema;

use super::{entry::EntryBody, idempotency_key};
use crate::{
    PaymentSettings,
    error::Error,
    limits::Amount,
    storage::{
        account,
        ledger::{self, Entry},
    },
};

/// How much to put on the account.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TopUp {
    /// 0.01 to 1 000 000 000 roubles.
    #[schema(value_type = chassis::openapi::Money)]
    amount: RequestMoney,
}

/// What the top-up did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ToppedUp {
    entry: EntryBody,
    /// The balance the top-up left.
    #[schema(value_type = chassis::openapi::Money)]
    balance: Money,
}

/// Top the account up
#[utoipa::path(
    post,
    path = "/api/v1/account/top-ups",
    tag = "account",
    security(("session" = []), ("bearer" = [])),
    params(("Idempotency-Key" = String, Header, description = "1 to 128 visible ASCII characters")),
    request_body = TopUp,
    responses(
        (status = 201, description = "The money is on the account", body = ToppedUp),
        (status = 400, description = "`idempotency_key_missing`, `idempotency_key_invalid`, `malformed_json`",
            body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`account_not_found`: open one first; the key stays free",
            body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_body`, `amount_not_positive`, `amount_too_large`, `balance_limit`, \
            `idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn top_up(
    State(settings): State<PaymentSettings>,
    principal: Principal,
    key: IdempotencyKeyHeader,
    Json(body): Json<TopUp>,
) -> Result<(StatusCode, Json<ToppedUp>), Error> {
    let user_id = principal.user_id;
    let amount = Amount::try_from(Money::from(body.amount))?;
    let id = EntryId::new();
    let request = digest("top_up", &body);
    let mut tx = settings.writer_pool.begin().await?;
    let entry = match claim(
        &mut tx,
        user_id,
        &idempotency_key(&key),
        &request,
        id.as_uuid(),
    )
    .await?
    {
        Claim::Reused => return Err(Error::KeyReused),
        Claim::Replay { resource_id } => ledger::find(&mut tx, user_id, resource_id.into())
            .await?
            .ok_or(sqlx::Error::RowNotFound)?,
        Claim::Fresh => deposit(&mut tx, id, user_id, amount).await?,
    };
    tx.commit().await?;
    let answer = ToppedUp {
        balance: entry.balance_after,
        entry: entry.into(),
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Puts money on the user's account, or says why not.
pub(crate) async fn deposit(
    tx: &mut PgTransaction<'_>,
    id: EntryId,
    user_id: UserId,
    amount: Amount,
) -> Result<Entry, Error> {
    match ledger::top_up(tx, id, user_id, amount).await? {
        Some(entry) => Ok(entry),
        None if account::find(tx, user_id).await?.is_some() => Err(Error::BalanceLimit),
        None => Err(Error::AccountNotFound),
    }
}

#[cfg(test)]
mod tests;
