//! `GET /ops/v1/payment/ledger`: what the payment service's own check of its ledger found.

use axum::extract::State;
use chassis::{Problem, extract::Json, identity::Operator};
use payment::LedgerPass;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::{OpsState, error::Error};

/// The ledger check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct LedgerCheck {
    /// The last whole pass; null before the first.
    #[schema(required)]
    pub(crate) last_pass: Option<Pass>,
}

/// A comparison of every balance with the sum of its entries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = LedgerPass)]
pub(crate) struct Pass {
    /// When it was completed.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) completed_at: OffsetDateTime,
    /// How many accounts it compared.
    pub(crate) accounts: i64,
    /// Accounts whose balance is not the sum of their entries. Anything but 0 is money made or lost.
    pub(crate) drifting_accounts: i64,
    /// By how much, in minor units, summed up without signs.
    pub(crate) drift_minor: i64,
}

impl From<LedgerPass> for Pass {
    fn from(pass: LedgerPass) -> Self {
        Self {
            completed_at: pass.completed_at,
            accounts: pass.accounts,
            drifting_accounts: pass.drifting_accounts,
            drift_minor: pass.drift_minor,
        }
    }
}

/// Read the ledger check
///
/// The payment service compares every balance with the sum of its entries, again and again. The logs name the accounts.
#[utoipa::path(
    get,
    path = "/ledger",
    tag = "operators",
    security(("session" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "What it found", body = LedgerCheck),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`: not an operator", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn read_ledger(
    State(state): State<OpsState>,
    _: Operator,
) -> Result<Json<LedgerCheck>, Error> {
    let mut connection = state.pool.acquire().await?;
    let last = payment::last_pass(&mut connection).await?;
    Ok(Json(LedgerCheck {
        last_pass: last.map(Pass::from),
    }))
}
