//! The HTTP interface, one endpoint per file.

mod account;
pub(crate) mod cursor;
mod entry;
mod list_entries;
mod open_account;
mod read_account;
pub(crate) mod top_up;

use chassis::{Profile, extract::IdempotencyKeyHeader};
use messaging::idempotency::IdempotencyKey;
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{PaymentSettings, original};

/// All routes of the payment service, from the host's root; in a demo the original's as well.
#[must_use]
pub fn router(settings: PaymentSettings) -> OpenApiRouter {
    routes(settings.profile).with_state(settings)
}

/// What [`router`] serves, described; for who shows the description without running the service.
#[must_use]
pub fn openapi(profile: Profile) -> OpenApi {
    routes(profile).into_openapi()
}

fn routes(profile: Profile) -> OpenApiRouter<PaymentSettings> {
    let router = OpenApiRouter::new()
        .routes(routes!(
            open_account::open_account,
            read_account::read_account
        ))
        .routes(routes!(top_up::top_up))
        .routes(routes!(list_entries::list_entries));
    match profile {
        Profile::Demo => router.merge(original::router()),
        Profile::Production => router,
    }
}

/// The key as the messaging core knows it.
fn idempotency_key(header: &IdempotencyKeyHeader) -> IdempotencyKey {
    header
        .0
        .parse()
        .expect("the extractor lets only 1 to 128 visible ASCII characters pass")
}

#[cfg(test)]
mod tests;
