//! The original system's contract, in a demo only: its clients work unchanged. No session, no idempotency key, amounts
//! as JSON numbers in roubles.

mod body;
mod error;
mod open_account;
mod read_account;
mod top_up;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::PaymentSettings;

/// The original's routes.
pub(crate) fn router() -> OpenApiRouter<PaymentSettings> {
    OpenApiRouter::new()
        .routes(routes!(open_account::open_account))
        .routes(routes!(top_up::top_up))
        .routes(routes!(read_account::read_account))
}

#[cfg(test)]
mod tests;
