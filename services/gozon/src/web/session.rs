//! Sessions: signing in as the demo identity, asking who one is, and signing out.

use chassis::{Principal, Role};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::WebState;

mod cookie;
mod read;
mod sign_in;
mod sign_out;

/// Who is signed in, until when.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub(crate) struct SessionBody {
    /// The user one acts as.
    #[schema(example = 1)]
    user_id: i64,
    /// What one may do.
    roles: Vec<Role>,
    /// The session itself, for machines: send it as `Authorization: Bearer`. Only when signing in.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// When the session ends.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
    /// How one signed in.
    mode: Mode,
}

/// How one signs in.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Mode {
    /// Type a user id and be believed.
    Demo,
}

impl SessionBody {
    fn new(principal: &Principal, expires_at: OffsetDateTime, token: Option<String>) -> Self {
        Self {
            user_id: principal.user_id.as_i64(),
            roles: principal.roles.clone(),
            token,
            expires_at,
            mode: Mode::Demo,
        }
    }
}

/// With the demo identity: sign in, ask, sign out.
pub(crate) fn demo_router() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(
        sign_in::sign_in,
        read::read_session,
        sign_out::sign_out
    ))
}

/// Without: ask, sign out.
pub(crate) fn router() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(read::read_session, sign_out::sign_out))
}

#[cfg(test)]
mod tests;
