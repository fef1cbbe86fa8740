//! The principal: the one identity every handler takes, whatever way it was proven.

use axum::extract::{FromRef, FromRequestParts};
use contracts::UserId;
use http::request::Parts;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Session, SessionKeys};
use crate::Problem;

/// Who asks, and what they may do. As an extractor: 401 without a valid session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The customer this principal acts as.
    pub user_id: UserId,
    /// What this principal may do.
    pub roles: Vec<Role>,
}

/// What a principal may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Use the shop.
    Customer,
    /// Use the operators' interface.
    Operator,
}

impl Principal {
    /// An ordinary customer.
    #[must_use]
    pub fn customer(user_id: UserId) -> Self {
        Self {
            user_id,
            roles: vec![Role::Customer],
        }
    }

    /// A customer who is also an operator.
    #[must_use]
    pub fn operator(user_id: UserId) -> Self {
        Self {
            user_id,
            roles: vec![Role::Customer, Role::Operator],
        }
    }
}

impl<S> FromRequestParts<S> for Principal
where
    S: Send + Sync,
    SessionKeys: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let session = Session::from_request_parts(parts, state).await?;
        Ok(session.principal)
    }
}
