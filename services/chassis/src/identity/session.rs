//! A session: a principal until an instant.

use axum::extract::{FromRef, FromRequestParts};
use http::request::Parts;
use time::OffsetDateTime;

use super::{Principal, SessionKeys, credentials::session_token};
use crate::Problem;

/// What a session token proves. As an extractor: 401 without a valid session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Who asks.
    pub principal: Principal,
    /// Until when.
    pub expires_at: OffsetDateTime,
}

impl<S> FromRequestParts<S> for Session
where
    S: Send + Sync,
    SessionKeys: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let token = session_token(&parts.headers).ok_or_else(Problem::unauthenticated)?;
        SessionKeys::from_ref(state)
            .verify(token, OffsetDateTime::now_utc())
            .map_err(|error| Problem::unauthenticated().detail(error.to_string()))
    }
}
