//! Idempotency keys: the inbox of the HTTP API, so that a repeated request has its effect once and its answer again.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    str::FromStr,
};

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
    let attempt = Attempt {
        user_id,
        key,
        digest,
        resource_id,
    };
    let claims = claim_all(tx, &[attempt]).await?;
    Ok(claims[0])
}

/// Claims keys as [`claim`] does, all of them in one statement; says what became of each, in their order. Of equal keys
/// the first is the first.
pub async fn claim_all(
    tx: &mut PgTransaction<'_>,
    attempts: &[Attempt<'_>],
) -> Result<Vec<Claim>, sqlx::Error> {
    // Sorted, so that two transactions with common keys wait for each other in one order and never in a circle.
    let mut firsts: BTreeMap<(i64, &str), &Attempt<'_>> = BTreeMap::new();
    for attempt in attempts {
        firsts.entry(attempt.place()).or_insert(attempt);
    }
    let fresh = insert(tx, &firsts).await?;
    let taken: Vec<(i64, &str)> = firsts
        .keys()
        .filter(|(user, key)| !fresh.contains(&(*user, (*key).to_owned())))
        .copied()
        .collect();
    // A second statement: a twin's row became visible only after the first one waited for it.
    let stored = read(tx, &taken).await?;
    attempts
        .iter()
        .map(|attempt| {
            let place = attempt.place();
            let first = firsts[&place];
            if std::ptr::eq(first, attempt) && !taken.contains(&place) {
                return Ok(Claim::Fresh);
            }
            let (digest, resource_id) = match stored.get(&(place.0, place.1.to_owned())) {
                Some((digest, resource_id)) => (digest.as_slice(), *resource_id),
                None if taken.contains(&place) => return Err(sqlx::Error::RowNotFound),
                None => (first.digest.0.as_slice(), first.resource_id),
            };
            Ok(if digest == attempt.digest.0 {
                Claim::Replay { resource_id }
            } else {
                Claim::Reused
            })
        })
        .collect()
}

impl<'r> Attempt<'r> {
    /// The primary key of its row.
    fn place(&self) -> (i64, &'r str) {
        (self.user_id.as_i64(), &self.key.0)
    }
}

/// Enters the keys that are free, and says which those were.
async fn insert(
    tx: &mut PgTransaction<'_>,
    firsts: &BTreeMap<(i64, &str), &Attempt<'_>>,
) -> Result<HashSet<(i64, String)>, sqlx::Error> {
    let (users, keys): (Vec<i64>, Vec<&str>) = firsts.keys().copied().unzip();
    let digests: Vec<&[u8]> = firsts.values().map(|first| &first.digest.0[..]).collect();
    let resources: Vec<Uuid> = firsts.values().map(|first| first.resource_id).collect();
    let rows = sqlx::query!(
        "insert into messaging.idempotency_key as stored (user_id, key, request_digest, resource_id)
         select user_id, key, digest, resource_id
         from unnest($1::bigint[], $2::text[], $3::bytea[], $4::uuid[]) as attempt (user_id, key, digest, resource_id)
         order by user_id, key collate \"C\"
         on conflict (user_id, key) do update
             set request_digest = excluded.request_digest, resource_id = excluded.resource_id, created_at = now()
             where stored.created_at < now() - interval '24 hours'
         returning user_id, key",
        &users,
        &keys as &[&str],
        &digests as &[&[u8]],
        &resources,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.user_id, row.key)).collect())
}

/// What the keys that were taken stand for.
async fn read(
    tx: &mut PgTransaction<'_>,
    taken: &[(i64, &str)],
) -> Result<HashMap<(i64, String), (Vec<u8>, Uuid)>, sqlx::Error> {
    if taken.is_empty() {
        return Ok(HashMap::new());
    }
    let (users, keys): (Vec<i64>, Vec<&str>) = taken.iter().copied().unzip();
    let rows = sqlx::query!(
        "select user_id, key, request_digest, resource_id
         from messaging.idempotency_key
         join unnest($1::bigint[], $2::text[]) as taken (user_id, key) using (user_id, key)",
        &users,
        &keys as &[&str],
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            (
                (row.user_id, row.key),
                (row.request_digest, row.resource_id),
            )
        })
        .collect())
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
