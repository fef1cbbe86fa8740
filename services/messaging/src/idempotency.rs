//! Idempotency keys: the inbox of the HTTP API, so that a repeated request has its effect once and its answer again.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    str::FromStr,
};

use contracts::UserId;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, PgTransaction};
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
    /// The key is ours: the effect is had in the transaction that claimed it.
    Fresh,
    /// The same request was carried out before: answer from what it made.
    Replay {
        /// The resource the first request made.
        resource_id: Uuid,
    },
    /// The key stands for another request.
    Reused,
}

/// A request that wants its effect under a key.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'r> {
    /// Whose key it is.
    pub user_id: UserId,
    /// The key.
    pub key: &'r IdempotencyKey,
    /// What it stands for.
    pub digest: &'r RequestDigest,
    /// What the request makes, if it is the first.
    pub resource_id: Uuid,
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
    let fresh = sqlx::query_scalar!(
        "insert into messaging.idempotency_key as stored (user_id, key, request_digest, resource_id)
         values ($1, $2, $3, $4)
         on conflict (user_id, key) do update
             set request_digest = excluded.request_digest, resource_id = excluded.resource_id, created_at = now()
             where stored.created_at < now() - interval '24 hours'
         returning resource_id",
        user_id.as_i64(),
        key.0,
        &digest.0[..],
        resource_id,
    )
    .fetch_optional(&mut **tx)
    .await?;
    if fresh.is_some() {
        return Ok(Claim::Fresh);
    }
    let attempt = Attempt {
        user_id,
        key,
        digest,
        resource_id,
    };
    let claims = earlier(tx, &[attempt]).await?;
    claims[0].ok_or(sqlx::Error::RowNotFound)
}

/// The columns of keys, as `unnest` takes them, for a statement of the caller's that claims them as [`claim`] does and has
/// their effects, too.
#[derive(Debug)]
pub struct Columns<'r> {
    /// Whose keys they are.
    pub user_ids: Vec<i64>,
    /// The keys.
    pub keys: Vec<&'r str>,
    /// What they stand for.
    pub digests: Vec<&'r [u8]>,
    /// What the requests make.
    pub resource_ids: Vec<Uuid>,
}

impl<'r> Columns<'r> {
    /// Of these attempts; of those under one key, of the first. Sorted, so that two transactions with common keys wait for
    /// each other in one order and never in a circle.
    #[must_use]
    pub fn of(attempts: &[Attempt<'r>]) -> Self {
        let mut firsts = BTreeMap::new();
        for attempt in attempts {
            firsts.entry(attempt.place()).or_insert(*attempt);
        }
        let (user_ids, keys) = firsts.keys().copied().unzip();
        let digests = firsts.values().map(|first| &first.digest.0[..]);
        let resource_ids = firsts.values().map(|first| first.resource_id);
        Self {
            user_ids,
            keys,
            digests: digests.collect(),
            resource_ids: resource_ids.collect(),
        }
    }
}

/// What attempts at keys that were taken come to, in their order; none of a key that has been forgotten since. To be read by
/// a statement after the claiming one: a twin's row became visible only after that one had waited for it.
pub async fn earlier(
    connection: &mut PgConnection,
    taken: &[Attempt<'_>],
) -> Result<Vec<Option<Claim>>, sqlx::Error> {
    let (users, keys): (Vec<i64>, Vec<&str>) = taken.iter().map(Attempt::place).unzip();
    let rows = sqlx::query!(
        "select user_id, key, request_digest, resource_id
         from messaging.idempotency_key
         join unnest($1::bigint[], $2::text[]) as taken (user_id, key) using (user_id, key)",
        &users,
        &keys as &[&str],
    )
    .fetch_all(connection)
    .await?;
    let stored: HashMap<(i64, &str), _> = rows
        .iter()
        .map(|row| ((row.user_id, &*row.key), row))
        .collect();
    let each = taken.iter().map(|attempt| {
        let stored = stored.get(&attempt.place())?;
        Some(if stored.request_digest == attempt.digest.0 {
            Claim::Replay {
                resource_id: stored.resource_id,
            }
        } else {
            Claim::Reused
        })
    });
    Ok(each.collect())
}

impl<'r> Attempt<'r> {
    /// The primary key of its row.
    fn place(&self) -> (i64, &'r str) {
        (self.user_id.as_i64(), &self.key.0)
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
