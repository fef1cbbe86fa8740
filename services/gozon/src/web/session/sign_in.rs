//! `POST /api/v1/session`: sign in as the demo identity, which believes whatever user id it is given.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header::SET_COOKIE},
    response::{AppendHeaders, IntoResponse},
};
use chassis::{Principal, Problem, extract::Json};
use contracts::UserId;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::{SessionBody, cookie};
use crate::web::WebState;

/// Who wants to sign in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    /// A user id of one's choice, 1 to 2^63 − 1.
    #[schema(value_type = i64, minimum = 1, example = 1)]
    user_id: serde_json::Number,
    /// The operators' token, for who wants to be an operator as well.
    #[schema(value_type = Option<String>, write_only)]
    operator_token: Option<SecretString>,
}

/// Sign in with a user id of one's choice
///
/// The session comes as a cookie for the page and as a token for machines. Only in a demo.
#[utoipa::path(
    post,
    path = "/api/v1/session",
    tag = "session",
    request_body = SignIn,
    responses(
        (status = 200, description = "Signed in", body = SessionBody),
        (status = 401, description = "`operator_token_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "No user id", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn sign_in(
    State(state): State<WebState>,
    headers: HeaderMap,
    Json(request): Json<SignIn>,
) -> Result<impl IntoResponse, Problem> {
    let principal = principal(&state, &request)?;
    let now = OffsetDateTime::now_utc();
    let lifetime = state.session_lifetime;
    let token = state.session_keys.issue(&principal, now, lifetime);
    let cookie = cookie::carrying(&token, lifetime, &headers);
    // Whole seconds, as the session itself has them.
    let expires_at = (now + lifetime).truncate_to_second();
    let body = SessionBody::new(&principal, expires_at, Some(token));
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), Json(body)))
}

fn principal(state: &WebState, request: &SignIn) -> Result<Principal, Problem> {
    let user_id = user_id(&request.user_id)?;
    match &request.operator_token {
        None => Ok(Principal::customer(user_id)),
        Some(token) if state.operator_key.is(token.expose_secret()) => {
            Ok(Principal::operator(user_id))
        }
        Some(_) => Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "operator_token_invalid",
            "This is not the operators' token",
        )),
    }
}

fn user_id(number: &serde_json::Number) -> Result<UserId, Problem> {
    number
        .as_i64()
        .and_then(|id| UserId::try_from(id).ok())
        .ok_or_else(|| {
            Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "user_id_invalid",
                "This is no user id",
            )
            .detail("A user id is a whole number from 1 to 9223372036854775807.")
        })
}
