//! `GET /api/payments/accounts/{user_id}`: what is on an account.

use axum::extract::{Path, State};
use chassis::extract::Json;
use contracts::UserId;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::error::{Detail, Error};
use crate::{
    PaymentSettings,
    storage::{account, session},
};

/// What is on an account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OriginalBalance)]
pub(crate) struct Balance {
    /// Roubles, exactly: written digit by digit, never through a float.
    #[schema(value_type = f64, example = 100.0)]
    balance: Box<RawValue>,
}

/// Read an account's balance (the original's contract)
#[utoipa::path(
    get,
    path = "/api/payments/accounts/{user_id}",
    operation_id = "original_read_account",
    tag = "original",
    params(("user_id" = i64, Path, minimum = 1)),
    responses(
        (status = 200, description = "The balance", body = Balance),
        (status = 404, description = "There is no account", body = Detail),
        (status = 422, description = "The user id is no positive 64-bit integer", body = Detail),
    )
)]
pub(crate) async fn read_account(
    State(settings): State<PaymentSettings>,
    Path(user_id): Path<String>,
) -> Result<Json<Balance>, Error> {
    let user_id = parse(&user_id)
        .ok_or_else(|| Error::Invalid("A user id is a positive 64-bit integer.".to_owned()))?;
    let mut tx = session::begin_as(&settings.api_pool, user_id).await?;
    let account = account::find(&mut tx, user_id).await?;
    tx.commit().await?;
    let balance = account.ok_or(Error::NotFound)?.balance.to_decimal();
    let balance = RawValue::from_string(balance).expect("a decimal literal is a JSON number");
    Ok(Json(Balance { balance }))
}

fn parse(text: &str) -> Option<UserId> {
    text.parse::<i64>().ok()?.try_into().ok()
}
