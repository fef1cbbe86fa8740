//! What people see first: the page, sign-in, and the documentation of the API.

use std::time::Instant;

use axum::{Router, extract::FromRef};
use chassis::{SessionKeys, identity::OperatorKey};

use crate::{
    config::{Identity, WebConfig},
    openapi,
};

mod docs;
mod headers;
pub(crate) mod health;
mod page;
pub(crate) mod session;

/// All routes of the role `web`. Whatever no other route takes is the page's.
pub(crate) fn router(config: &WebConfig) -> Router {
    let state = WebState::new(config);
    let sessions = match config.identity {
        Identity::Demo => session::demo_router(),
        Identity::None => session::router(),
    };
    Router::from(sessions.merge(health::router()).with_state(state))
        .merge(docs::router(openapi::document(config.profile)))
        .fallback_service(page::router())
}

/// What the handlers share.
#[derive(Debug, Clone)]
pub(crate) struct WebState {
    session_keys: SessionKeys,
    operator_key: OperatorKey,
    session_lifetime: std::time::Duration,
    started: Instant,
}

impl WebState {
    fn new(config: &WebConfig) -> Self {
        Self {
            session_keys: config.session_keys.clone(),
            operator_key: config.operator_key.clone(),
            session_lifetime: config.session_lifetime,
            started: Instant::now(),
        }
    }
}

impl FromRef<WebState> for SessionKeys {
    fn from_ref(state: &WebState) -> Self {
        state.session_keys.clone()
    }
}

impl FromRef<WebState> for OperatorKey {
    fn from_ref(state: &WebState) -> Self {
        state.operator_key.clone()
    }
}

#[cfg(test)]
mod tests;
