//! `GET /api/v1/account/entries`: what changed the caller's balance, newest first.

use axum::extract::State;
use chassis::{
    Principal, Problem,
    extract::{Json, Query},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{cursor::Cursor, entry::EntryBody};
use crate::{
    PaymentSettings,
    error::Error,
    limits::PageLimit,
    storage::{account, ledger, session},
};

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// How many entries at most: 1 to 100, 20 if left out.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of ledger entries.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerEntryPage)]
pub(crate) struct EntryPage {
    items: Vec<EntryBody>,
    /// Where the next page begins; null on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// List the ledger entries
///
/// Newest first, in the order in which they changed the balance.
#[utoipa::path(
    get,
    path = "/api/v1/account/entries",
    tag = "account",
    security(("session" = []), ("bearer" = [])),
    params(Page),
    responses(
        (status = 200, description = "A page of entries", body = EntryPage),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`account_not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`limit_out_of_range`, `cursor_invalid`, `invalid_query`",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_entries(
    State(settings): State<PaymentSettings>,
    principal: Principal,
    Query(page): Query<Page>,
) -> Result<Json<EntryPage>, Error> {
    let limit = page
        .limit
        .map(PageLimit::try_from)
        .transpose()?
        .unwrap_or_default();
    let cursor: Option<Cursor> = page.cursor.map(|text| text.parse()).transpose()?;
    let mut tx = session::begin_as(&settings.api_pool, principal.user_id).await?;
    account::find(&mut tx, principal.user_id)
        .await?
        .ok_or(Error::AccountNotFound)?;
    let before = cursor.map(|cursor| cursor.0);
    let (entries, next) = ledger::list(&mut tx, principal.user_id, before, limit).await?;
    tx.commit().await?;
    Ok(Json(EntryPage {
        items: entries.into_iter().map(EntryBody::from).collect(),
        next_cursor: next.map(|number| Cursor(number).to_string()),
    }))
}

#[cfg(test)]
mod tests;
