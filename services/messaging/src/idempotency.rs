//! Idempotency keys: the inbox of the HTTP API, so that a repeated request has its effect once and its answer again.

use std::{fmt, str::FromStr};

use contracts::UserId;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::PgTransaction;
use uuid::Uuid;

/// The longest key, in characters.
pub const MAX_KEY_LENGTH: usize = 128;

/// A key the client chose: 1 to [`MAX_KEY_LENGTH`] visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

/// A text that can be no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key has 1 to {MAX_KEY_LENGTH} visible ASCII characters")]
pub struct InvalidKey;

impl FromStr for IdempotencyKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if visible && (1..=MAX_KEY_LENGTH).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidKey)
        }
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a key stands for: an operation and its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestDigest([u8; 32]);

/// The digest (SHA-256) of an operation and the body as understood, so that spaces and field order do not matter.
#[must_use]
pub fn digest(operation: &'static str, body: &impl Serialize) -> RequestDigest {
    let body =
        serde_json::to_vec(body).expect("a request body was read from JSON and has a JSON form");
    let mut hash = Sha256::new();
    hash.update(operation.as_bytes());
    hash.update([0]);
    hash.update(body);
    RequestDigest(hash.finalize().into())
}

/// What became of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// The key is ours: have the effect in this transaction.
    Fresh,
    /// The same request was carried out before: answer from what it made.
    Replay {
        /// The resource the first request made.
        resource_id: Uuid,
    },
    /// The key stands for another request.
    Reused,
}

/// Claims a key in the transaction of its effect. A concurrent twin waits here until the first commits, and then replays;
/// if the first rolls back, the twin becomes the first. A key older than 24 hours stands for nothing any more.
pub async fn claim(
    tx: &mut PgTransaction<'_>,
    user_id: UserId,
    key: &IdempotencyKey,
    digest: &RequestDigest,
    resource_id: Uuid,
) -> Result<Claim, sqlx::Error> {
    let claimed = sqlx::query!(
        "insert into messaging.idempotency_key as stored (user_id, key, request_digest, resource_id)
         values ($1, $2, $3, $4)
         on conflict (user_id, key) do update
             set request_digest = excluded.request_digest, resource_id = excluded.resource_id, created_at = now()
             where stored.created_at < now() - interval '24 hours'",
        user_id.as_i64(),
        key.0,
        &digest.0,
        resource_id,
    )
    .execute(&mut **tx)
    .await?;
    if claimed.rows_affected() == 1 {
        return Ok(Claim::Fresh);
    }
    // A second statement: the twin's row became visible only after the first one waited for it.
    let stored = sqlx::query!(
        "select request_digest, resource_id from messaging.idempotency_key where user_id = $1 and key = $2",
        user_id.as_i64(),
        key.0,
    )
    .fetch_one(&mut **tx)
    .await?;
    if stored.request_digest == digest.0 {
        Ok(Claim::Replay {
            resource_id: stored.resource_id,
        })
    } else {
        Ok(Claim::Reused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_ascii_of_bounded_length() {
        assert!("k".repeat(MAX_KEY_LENGTH).parse::<IdempotencyKey>().is_ok());
        for text in [
            String::new(),
            "k".repeat(MAX_KEY_LENGTH + 1),
            "a b".to_owned(),
            "ключ".to_owned(),
            "a\n".to_owned(),
        ] {
            assert_eq!(text.parse::<IdempotencyKey>(), Err(InvalidKey), "{text:?}");
        }
    }

    #[test]
    fn a_digest_tells_operations_and_bodies_apart() {
        assert_eq!(digest("order", &1), digest("order", &1));
        assert_ne!(digest("order", &1), digest("order", &2));
        assert_ne!(digest("order", &1), digest("top-up", &1));
    }
}
