//! The rows of dead letters, as the consumer writes and settles them.

use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::{PgPool, PgTransaction};
use uuid::Uuid;

use super::storable;
use crate::{consumer::Parcel, failure::Rejection};

/// A message that becomes a dead letter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewLetter<'e> {
    /// The event id, where it can be read.
    pub(crate) message_id: Option<Uuid>,
    pub(crate) parcel: &'e Parcel<'e>,
    /// Why.
    pub(crate) rejection: &'e Rejection,
    /// How often it was tried.
    pub(crate) attempts: i32,
}

/// A letter that an operator wants settled again, and that is due.
#[derive(Debug)]
pub(crate) struct Due {
    pub(crate) id: i64,
    pub(crate) message_id: Option<Uuid>,
    pub(crate) whole_message: bool,
    pub(crate) attempts: i32,
    pub(crate) routing_key: String,
    pub(crate) headers: Value,
    pub(crate) body: Vec<u8>,
}

/// Writes dead letters in the transaction that settles the rest. The same letter again only counts.
pub(crate) async fn write(
    tx: &mut PgTransaction<'_>,
    consumer: &str,
    letters: &[NewLetter<'_>],
) -> Result<(), sqlx::Error> {
    for letter in letters {
        let parcel = letter.parcel;
        sqlx::query!(
            "insert into messaging.dead_letter as stored
                 (consumer, message_id, body_digest, type, routing_key, headers, body, reason_class, reason, trace_id,
                  whole_message, attempts)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
             on conflict (consumer, message_id, body_digest) do update
                 set occurrences = stored.occurrences + 1, last_seen_at = now()",
            consumer,
            letter.message_id,
            &Sha256::digest(parcel.body)[..],
            parcel.kind.as_deref().map(storable),
            parcel.origin.routing_key(),
            parcel.origin.headers(),
            parcel.body,
            letter.rejection.class.as_str(),
            storable(&letter.rejection.reason),
            parcel.trace.map(|trace| trace.trace_id()),
            parcel.whole_message,
            letter.attempts,
        )
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// Letters whose redrive is due, the longest first; nobody holds them yet.
pub(crate) async fn due(
    pool: &PgPool,
    consumer: &str,
    limit: i64,
) -> Result<Vec<Due>, sqlx::Error> {
    sqlx::query_as!(
        Due,
        "select id, message_id, whole_message, attempts, routing_key, headers, body
         from messaging.dead_letter
         where consumer = $1 and redrive_at <= now()
         order by redrive_at
         limit $2",
        consumer,
        limit,
    )
    .fetch_all(pool)
    .await
}

/// Takes hold of those that are still there, still due and that no other replica holds.
pub(crate) async fn hold(tx: &mut PgTransaction<'_>, ids: &[i64]) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        "select id from messaging.dead_letter
         where id = any($1) and redrive_at <= now()
         order by id
         for update skip locked",
        ids,
    )
    .fetch_all(&mut **tx)
    .await
}

/// How the mark of a redrive ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The letter was settled, found settled before, or opened into its events.
    Settled,
    /// It could not be settled this time either.
    DiedAgain,
    /// An operator took the mark off.
    Cancelled,
    /// An operator gave the letter up.
    Discarded,
}

impl End {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::DiedAgain => "died_again",
            Self::Cancelled => "cancelled",
            Self::Discarded => "discarded",
        }
    }
}

/// Writes down how the marks of these letters end, for whoever asked for the redrive. Before the marks go, in the
/// transaction that ends them.
pub(crate) async fn end_marks(
    tx: &mut PgTransaction<'_>,
    ids: &[i64],
    end: End,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into messaging.redrive_end (request_id, letter_id, outcome)
         select redrive_request, id, $2
         from messaging.dead_letter
         where id = any($1) and redrive_at is not null and redrive_request is not null",
        ids,
        end.as_str(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A redriven letter could not be settled this time either: it stays, with the new reason and without its mark.
pub(crate) async fn die_again(
    tx: &mut PgTransaction<'_>,
    id: i64,
    rejection: &Rejection,
) -> Result<(), sqlx::Error> {
    end_marks(tx, &[id], End::DiedAgain).await?;
    sqlx::query!(
        "update messaging.dead_letter
         set occurrences = occurrences + 1, attempts = attempts + 1, last_seen_at = now(), reason_class = $2,
             reason = $3, redrive_at = null, redrive_by = null, redrive_request = null
         where id = $1",
        id,
        rejection.class.as_str(),
        storable(&rejection.reason),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Deletes letters whose end this is, in the transaction that settles or discards them, or writes them as others.
pub(crate) async fn end(
    tx: &mut PgTransaction<'_>,
    ids: &[i64],
    end: End,
) -> Result<(), sqlx::Error> {
    if ids.is_empty() {
        return Ok(());
    }
    end_marks(tx, ids, end).await?;
    sqlx::query!("delete from messaging.dead_letter where id = any($1)", ids)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
