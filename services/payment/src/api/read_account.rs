//! `GET /api/v1/account`: the caller's account.

use axum::extract::State;
use chassis::{Principal, Problem, extract::Json};

use super::account::AccountBody;
use crate::{
    PaymentSettings,
    error::Error,
    storage::{account, session},
};

/// Read the account
#[utoipa::path(
    get,
    path = "/api/v1/account",
    tag = "account",
    security(("session" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "The account", body = AccountBody),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`account_not_found`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read_account(
    State(settings): State<PaymentSettings>,
    principal: Principal,
) -> Result<Json<AccountBody>, Error> {
    let mut tx = session::begin_as(&settings.api_pool, principal.user_id).await?;
    let account = account::find(&mut tx, principal.user_id).await?;
    tx.commit().await?;
    Ok(Json(account.ok_or(Error::AccountNotFound)?.into()))
}
