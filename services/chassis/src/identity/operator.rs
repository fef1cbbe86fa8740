//! An operator: whoever sends the operators' key, or a session that has the role.

use axum::extract::{FromRef, FromRequestParts};
use http::request::Parts;
use time::OffsetDateTime;

use super::{OperatorKey, Role, SessionKeys, credentials::session_token};
use crate::Problem;

/// How whoever sends the key itself is named: the key is one for all machines.
const MACHINE: &str = "operator-token";

/// Somebody who may use the operators' interface. As an extractor: 401 for nobody, 403 for a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Who it is, as the operators' log names them.
    pub name: String,
}

impl Operator {
    /// Who sends this token. Where no key is set, there are no operators, whatever a session says.
    fn of_token(
        token: &str,
        key: &OperatorKey,
        sessions: &SessionKeys,
        now: OffsetDateTime,
    ) -> Result<Self, Problem> {
        if key.is(token) {
            return Ok(Self {
                name: MACHINE.to_owned(),
            });
        }
        let session = sessions
            .verify(token, now)
            .map_err(|_| Problem::unauthenticated())?;
        if key.is_set() && session.principal.roles.contains(&Role::Operator) {
            Ok(Self {
                name: format!("user {}", session.principal.user_id),
            })
        } else {
            Err(Problem::forbidden().detail("This is for operators."))
        }
    }
}

impl<S> FromRequestParts<S> for Operator
where
    S: Send + Sync,
    SessionKeys: FromRef<S>,
    OperatorKey: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let token = session_token(&parts.headers).ok_or_else(Problem::unauthenticated)?;
        let now = OffsetDateTime::now_utc();
        let (key, sessions) = (OperatorKey::from_ref(state), SessionKeys::from_ref(state));
        Self::of_token(token, &key, &sessions, now)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use contracts::UserId;
    use http::StatusCode;
    use secrecy::SecretString;

    use super::*;
    use crate::Principal;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;
    const KEY: &str = "0123456789abcdef0123456789abcdef";

    fn sessions() -> SessionKeys {
        SessionKeys::parse("b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2w").unwrap()
    }

    fn asks(token: &str, key: &OperatorKey) -> Result<String, StatusCode> {
        Operator::of_token(token, key, &sessions(), NOW)
            .map(|operator| operator.name)
            .map_err(|problem| problem.status())
    }

    fn session(principal: &Principal) -> String {
        sessions().issue(principal, NOW, Duration::from_mins(1))
    }

    #[test]
    fn an_operator_has_the_key_or_a_session_with_the_role() {
        let key = OperatorKey::new(&SecretString::from(KEY)).unwrap();
        let user = UserId::try_from(7).unwrap();
        assert_eq!(asks(KEY, &key), Ok("operator-token".to_owned()));
        let operator = session(&Principal::operator(user));
        assert_eq!(asks(&operator, &key), Ok("user 7".to_owned()));
        let customer = session(&Principal::customer(user));
        assert_eq!(asks(&customer, &key), Err(StatusCode::FORBIDDEN));
        assert_eq!(asks("nonsense", &key), Err(StatusCode::UNAUTHORIZED));
    }

    #[test]
    fn without_a_key_nobody_is_an_operator() {
        let none = OperatorKey::none();
        let operator = Principal::operator(UserId::try_from(7).unwrap());
        assert_eq!(asks(KEY, &none), Err(StatusCode::UNAUTHORIZED));
        assert_eq!(asks(&session(&operator), &none), Err(StatusCode::FORBIDDEN));
    }
}
