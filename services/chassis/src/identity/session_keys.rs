//! The keys that sign sessions (JWT, HS256): every role verifies with them, `web` signs with the first.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use contracts::UserId;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Principal, Role, Session};
use crate::recent::Recent;

const ISSUER: &str = "gozon";
const AUDIENCE: &str = "gozon";
const KEY_BYTES_MIN: usize = 32;
const KEYS_MAX: usize = 4;

/// The sessions kept at hand; of each, some 500 bytes.
const VERIFIED_MAX: usize = 20_000;

/// The session keys of this installation, shared by all roles. Cheap to clone.
#[derive(Clone)]
pub struct SessionKeys {
    keys: Arc<Keys>,
    /// Sessions whose signature was found good, by their tokens: a customer comes with the same one again and again.
    verified: Arc<Recent<String, Session>>,
}

struct Keys {
    sign: EncodingKey,
    verify: Vec<DecodingKey>,
    validation: Validation,
}

/// Why no session keys could be loaded.
#[derive(Debug, thiserror::Error)]
pub enum SessionKeysError {
    /// The file cannot be read.
    #[error("the session keys cannot be read from {}", .0.display())]
    Read(PathBuf, #[source] std::io::Error),
    /// The text holds no keys, or too many.
    #[error("session keys: 1 to {KEYS_MAX} lines are wanted, {0} were found")]
    Count(usize),
    /// A line is no key. The line itself is a secret and stays unsaid.
    #[error("session keys: key {0} is not base64url of at least {KEY_BYTES_MIN} bytes")]
    Invalid(usize),
}

/// Why a session does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// Not signed with one of our keys, or not one of our sessions.
    #[error("The session is not valid here.")]
    Invalid,
    /// It was valid once.
    #[error("The session has expired.")]
    Expired,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    iat: i64,
    exp: i64,
    roles: Vec<Role>,
}

impl SessionKeys {
    /// Reads the key file: one base64url key per line, the first signs, all verify. Empty lines and lines that begin
    /// with `#` do not count.
    pub fn load(path: &Path) -> Result<Self, SessionKeysError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| SessionKeysError::Read(path.to_owned(), error))?;
        Self::parse(&text)
    }

    /// The same from the file's text.
    pub fn parse(text: &str) -> Result<Self, SessionKeysError> {
        let secrets = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .enumerate()
            .map(|(index, line)| decode_key(line).ok_or(SessionKeysError::Invalid(index + 1)))
            .collect::<Result<Vec<_>, _>>()?;
        let (Some(first), 1..=KEYS_MAX) = (secrets.first(), secrets.len()) else {
            return Err(SessionKeysError::Count(secrets.len()));
        };
        let keys = Keys {
            sign: EncodingKey::from_secret(first),
            verify: secrets
                .iter()
                .map(|secret| DecodingKey::from_secret(secret))
                .collect(),
            validation: validation(),
        };
        Ok(Self {
            keys: Arc::new(keys),
            verified: Arc::new(Recent::new(VERIFIED_MAX)),
        })
    }

    /// A signed session for this principal.
    #[must_use]
    pub fn issue(&self, principal: &Principal, now: OffsetDateTime, lifetime: Duration) -> String {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: principal.user_id.to_string(),
            iat: now.unix_timestamp(),
            exp: (now + lifetime).unix_timestamp(),
            roles: principal.roles.clone(),
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.keys.sign)
            .expect("plain claims are JSON and an HMAC takes any key")
    }

    /// The session a token carries, if it is one of ours and still valid.
    pub fn verify(&self, token: &str, now: OffsetDateTime) -> Result<Session, SessionError> {
        let session = if let Some(session) = self.verified.get(token) {
            session
        } else {
            let session = self.open(token)?;
            self.verified.keep(token.to_owned(), session.clone());
            session
        };
        if session.expires_at <= now {
            return Err(SessionError::Expired);
        }
        Ok(session)
    }

    /// The session in a token that one of our keys has signed, whether or not it has expired.
    fn open(&self, token: &str) -> Result<Session, SessionError> {
        let claims = self
            .keys
            .verify
            .iter()
            .find_map(|key| decode::<Claims>(token, key, &self.keys.validation).ok())
            .ok_or(SessionError::Invalid)?
            .claims;
        let user_id: i64 = claims.sub.parse().map_err(|_| SessionError::Invalid)?;
        Ok(Session {
            principal: Principal {
                user_id: UserId::try_from(user_id).map_err(|_| SessionError::Invalid)?,
                roles: claims.roles,
            },
            expires_at: OffsetDateTime::from_unix_timestamp(claims.exp)
                .map_err(|_| SessionError::Invalid)?,
        })
    }
}

/// No secret ever reaches a log.
impl fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionKeys({} keys)", self.keys.verify.len())
    }
}

fn decode_key(line: &str) -> Option<Vec<u8>> {
    let key = URL_SAFE_NO_PAD.decode(line.trim_end_matches('=')).ok()?;
    (key.len() >= KEY_BYTES_MIN).then_some(key)
}

fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    // Without this a token that has no issuer or audience at all would pass.
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    // The expiry is judged by `verify`, against the instant it is given.
    validation.validate_exp = false;
    validation
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const OLD: &str = "b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2w";
    const NEW: &str = "bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3";
    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;
    const HOUR: Duration = Duration::from_hours(1);

    fn keys(text: &str) -> SessionKeys {
        SessionKeys::parse(text).unwrap()
    }

    fn customer() -> Principal {
        Principal::customer(UserId::try_from(7).unwrap())
    }

    fn session() -> Session {
        Session {
            principal: customer(),
            expires_at: NOW + HOUR,
        }
    }

    #[test]
    fn a_session_reads_back_until_it_expires() {
        let keys = keys(NEW);
        let token = keys.issue(&customer(), NOW, HOUR);
        assert_eq!(keys.verify(&token, NOW), Ok(session()));
        assert_eq!(keys.verify(&token, NOW + HOUR), Err(SessionError::Expired));
    }

    #[test]
    fn a_session_outlives_the_rotation_of_its_key() {
        let token = keys(OLD).issue(&customer(), NOW, HOUR);
        let rotated = keys(&format!("# rotated\n{NEW}\n\n{OLD}\n"));
        assert_eq!(rotated.verify(&token, NOW), Ok(session()));
        assert_eq!(keys(NEW).verify(&token, NOW), Err(SessionError::Invalid));
    }

    #[test]
    fn a_token_lacking_any_claim_is_refused() {
        let full = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "7", "iat": 0, "exp": 3600, "roles": ["customer"],
        });
        let sign = |claims: &serde_json::Value| {
            let key = EncodingKey::from_secret(&decode_key(NEW).unwrap());
            encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
        };
        assert!(keys(NEW).verify(&sign(&full), NOW).is_ok());
        for claim in ["iss", "aud", "sub", "exp", "roles"] {
            let mut claims = full.clone();
            claims.as_object_mut().unwrap().remove(claim);
            assert_eq!(
                keys(NEW).verify(&sign(&claims), NOW),
                Err(SessionError::Invalid),
                "{claim}"
            );
        }
        for (claim, value) in [("iss", "other"), ("aud", "other"), ("sub", "0")] {
            let mut claims = full.clone();
            claims[claim] = json!(value);
            assert_eq!(
                keys(NEW).verify(&sign(&claims), NOW),
                Err(SessionError::Invalid),
                "{claim}"
            );
        }
    }

    #[test]
    fn another_algorithm_or_a_changed_token_is_refused() {
        let token = keys(NEW).issue(&customer(), NOW, HOUR);
        let unsigned = format!(
            "{}.{}.",
            URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#),
            token.split('.').nth(1).unwrap()
        );
        for token in ["", "a.b.c", &unsigned, &token[..token.len() - 2]] {
            assert_eq!(keys(NEW).verify(token, NOW), Err(SessionError::Invalid));
        }
    }

    #[test]
    fn a_file_without_good_keys_is_refused_without_saying_them() {
        for text in ["", "# nothing\n", "c2hvcnQ", "not base64 at all!"] {
            let error = SessionKeys::parse(text).unwrap_err();
            assert!(!error.to_string().contains("c2hvcnQ"));
        }
        assert_eq!(format!("{:?}", keys(NEW)), "SessionKeys(1 keys)");
    }
}
