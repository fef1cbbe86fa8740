//! `POST /api/payments/accounts/topup`: puts money on an account.

use axum::extract::State;
use chassis::extract::Json;
use contracts::{EntryId, Money, UserId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{
    body::Body,
    error::{Detail, Error},
};
use crate::{PaymentSettings, api::top_up::deposit, limits::Amount};

/// How much to put on whose account.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = OriginalTopUp)]
#[serde(deny_unknown_fields)]
pub(crate) struct TopUp {
    #[schema(value_type = i64, minimum = 1)]
    user_id: UserId,
    /// Roubles, with at most two decimals. Read digit by digit, never through a float.
    #[schema(value_type = f64, example = 100)]
    amount: Box<RawValue>,
}

/// That it is done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OriginalTopUpStatus)]
pub(crate) struct TopUpStatus {
    #[schema(example = "ok")]
    status: &'static str,
}

/// Top an account up (the original's contract)
#[utoipa::path(
    post,
    path = "/api/payments/accounts/topup",
    operation_id = "original_top_up",
    tag = "original",
    request_body = TopUp,
    responses(
        (status = 200, description = "The money is on the account", body = TopUpStatus),
        (status = 404, description = "There is no account", body = Detail),
        (status = 422, description = "The request cannot be meant", body = Detail),
    )
)]
pub(crate) async fn top_up(
    State(settings): State<PaymentSettings>,
    Body(body): Body<TopUp>,
) -> Result<Json<TopUpStatus>, Error> {
    let amount = Amount::try_from(Money::rub_from_decimal(body.amount.get())?)?;
    let mut tx = settings.writer_pool.begin().await?;
    deposit(&mut tx, EntryId::new(), body.user_id, amount).await?;
    tx.commit().await?;
    Ok(Json(TopUpStatus { status: "ok" }))
}
