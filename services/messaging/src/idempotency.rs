//! Idempotency keys: the inbox of the HTTP API, so that a repeated request has its effect once and its answer again.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
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
    let attempts = [Attempt {
        user_id,
        key,
        digest,
        resource_id,
    }];
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
    .fetch_all(&mut **tx)
    .await?;
    let fresh = fresh.into_iter().collect();
    let claims = Claims::of(&attempts).judge(tx, &fresh).await?;
    Ok(claims[0])
}

/// Attempts that are claimed together, by a statement of the caller's that has their effects as well: of those under one
/// key only the first is entered.
#[derive(Debug)]
pub struct Claims<'r> {
    attempts: &'r [Attempt<'r>],
    firsts: BTreeMap<Place<'r>, &'r Attempt<'r>>,
}

/// What is unique of a key: whose it is, and the key.
type Place<'r> = (i64, &'r str);

/// The columns of keys, as `unnest` takes them; sorted, so that two transactions with common keys wait for each other in one
/// order and never in a circle.
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

impl<'r> Claims<'r> {
    /// Of these attempts.
    #[must_use]
    pub fn of(attempts: &'r [Attempt<'r>]) -> Self {
        let mut firsts = BTreeMap::new();
        for attempt in attempts {
            firsts.entry(attempt.place()).or_insert(attempt);
        }
        Self { attempts, firsts }
    }

    /// Whether what makes this is the first under its key.
    #[must_use]
    pub fn is_first(&self, resource_id: Uuid) -> bool {
        let mut firsts = self.firsts.values();
        firsts.any(|first| first.resource_id == resource_id)
    }

    /// What is to be entered, where a key is free or older than 24 hours.
    #[must_use]
    pub fn columns(&self) -> Columns<'r> {
        let (user_ids, keys) = self.firsts.keys().copied().unzip();
        let digests = self.firsts.values().map(|first| &first.digest.0[..]);
        let resource_ids = self.firsts.values().map(|first| first.resource_id);
        Columns {
            user_ids,
            keys,
            digests: digests.collect(),
            resource_ids: resource_ids.collect(),
        }
    }

    /// Says what became of each attempt, in their order, once those that make `fresh` are entered. It reads what the keys
    /// stand for that were taken: a twin's row became visible only after the entering had waited for it.
    pub async fn judge(
        &self,
        connection: &mut PgConnection,
        fresh: &HashSet<Uuid>,
    ) -> Result<Vec<Claim>, sqlx::Error> {
        let is_fresh = |attempt: &Attempt<'_>| fresh.contains(&attempt.resource_id);
        let taken: Vec<Place<'_>> = self
            .firsts
            .iter()
            .filter(|(_, first)| !is_fresh(first))
            .map(|(place, _)| *place)
            .collect();
        let stored = read(connection, &taken).await?;
        self.attempts
            .iter()
            .map(|attempt| {
                let place = attempt.place();
                let first = self.firsts[&place];
                let (digest, resource_id) = if !is_fresh(first) {
                    let stored = stored.get(&(place.0, place.1.to_owned()));
                    let (digest, resource_id) = stored.ok_or(sqlx::Error::RowNotFound)?;
                    (digest.as_slice(), *resource_id)
                } else if std::ptr::eq(first, attempt) {
                    return Ok(Claim::Fresh);
                } else {
                    (first.digest.0.as_slice(), first.resource_id)
                };
                Ok(if digest == attempt.digest.0 {
                    Claim::Replay { resource_id }
                } else {
                    Claim::Reused
                })
            })
            .collect()
    }
}

impl<'r> Attempt<'r> {
    /// The primary key of its row.
    fn place(&self) -> Place<'r> {
        (self.user_id.as_i64(), &self.key.0)
    }
}

/// What the keys that were taken stand for.
async fn read(
    connection: &mut PgConnection,
    taken: &[Place<'_>],
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
    .fetch_all(connection)
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
