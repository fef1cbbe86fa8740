//! Schemas both services document alike, for types of `contracts`, which knows nothing of HTTP.

use utoipa::ToSchema;

/// The schema of [`contracts::Money`]: use it with `#[schema(value_type = chassis::openapi::Money)]`.
#[derive(Debug, ToSchema)]
#[schema(description = "An amount in minor units; negative for a debit in the ledger")]
pub struct Money {
    /// Minor units, a hundredth of a rouble each.
    #[schema(example = 19900)]
    pub amount_minor: i64,
    /// The currency of `amount_minor`.
    pub currency: Currency,
}

/// The schema of [`contracts::Currency`].
#[derive(Debug, ToSchema)]
#[schema(description = "ISO 4217 code")]
pub enum Currency {
    /// Russian rouble.
    #[schema(rename = "RUB")]
    Rub,
}

/// Name of the security scheme "session cookie" in `#[utoipa::path(security(...))]`.
pub const SESSION_SCHEME: &str = "session";

/// Name of the security scheme "bearer token".
pub const BEARER_SCHEME: &str = "bearer";
