//! `POST /api/payments/accounts`: opens an account.

use axum::extract::State;
use chassis::extract::Json;
use contracts::{AccountId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    body::Body,
    error::{Detail, Error},
};
use crate::{PaymentSettings, storage::account};

/// Whose account to open.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = OriginalOpenAccount)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenAccount {
    #[schema(value_type = i64, minimum = 1)]
    user_id: UserId,
}

/// That it is there.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OriginalAccountStatus)]
pub(crate) struct AccountStatus {
    #[schema(example = "created")]
    status: &'static str,
}

/// Open an account (the original's contract)
///
/// A user who has one already gets the same answer.
#[utoipa::path(
    post,
    path = "/api/payments/accounts",
    operation_id = "original_open_account",
    tag = "original",
    request_body = OpenAccount,
    responses(
        (status = 200, description = "The account is there", body = AccountStatus),
        (status = 422, description = "The request cannot be meant", body = Detail),
    )
)]
pub(crate) async fn open_account(
    State(settings): State<PaymentSettings>,
    Body(body): Body<OpenAccount>,
) -> Result<Json<AccountStatus>, Error> {
    let mut tx = settings.writer_pool.begin().await?;
    account::open(&mut tx, AccountId::new(), body.user_id).await?;
    tx.commit().await?;
    Ok(Json(AccountStatus { status: "created" }))
}
