//! Dead letters: messages that cannot be settled, kept whole as rows with their reason.

use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::failure::Rejection;

/// A message that becomes a dead letter.
#[derive(Debug, Clone)]
pub(crate) struct DeadLetter {
    /// The event id, where it can be read.
    pub message_id: Option<Uuid>,
    /// The event type, where it can be read.
    pub kind: Option<String>,
    /// The routing key it came with.
    pub routing_key: String,
    /// The AMQP headers and properties it came with.
    pub headers: Value,
    /// The event, or the whole message where it has no events.
    pub body: Vec<u8>,
    /// Why.
    pub rejection: Rejection,
    /// The trace it belongs to, where it can be read.
    pub trace_id: Option<String>,
}

/// Writes dead letters in the transaction that settles the rest. The same letter again only counts.
pub(crate) async fn write(
    tx: &mut PgTransaction<'_>,
    consumer: &str,
    letters: &[&DeadLetter],
) -> Result<(), sqlx::Error> {
    for letter in letters {
        let digest = Sha256::digest(&letter.body);
        let counted = count_again(tx, consumer, letter, &digest).await?;
        if !counted {
            insert(tx, consumer, letter, &digest).await?;
        }
    }
    Ok(())
}

async fn count_again(
    tx: &mut PgTransaction<'_>,
    consumer: &str,
    letter: &DeadLetter,
    digest: &[u8],
) -> Result<bool, sqlx::Error> {
    let counted = sqlx::query!(
        "update messaging.dead_letter
         set occurrences = occurrences + 1, last_seen_at = now()
         where consumer = $1
           and ((message_id is not null and message_id = $2) or (message_id is null and $2::uuid is null and body_digest = $3))",
        consumer,
        letter.message_id,
        digest,
    )
    .execute(&mut **tx)
    .await?;
    Ok(counted.rows_affected() > 0)
}

async fn insert(
    tx: &mut PgTransaction<'_>,
    consumer: &str,
    letter: &DeadLetter,
    digest: &[u8],
) -> Result<(), sqlx::Error> {
    // A twin on another consumer that wrote it since is as good as ours.
    sqlx::query!(
        "insert into messaging.dead_letter
             (consumer, message_id, body_digest, type, routing_key, headers, body, reason_class, reason, trace_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict do nothing",
        consumer,
        letter.message_id,
        digest,
        letter.kind.as_deref().map(storable),
        storable(&letter.routing_key),
        letter.headers,
        letter.body,
        letter.rejection.class.as_str(),
        storable(&letter.rejection.reason),
        letter.trace_id,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Text that Postgres can store: its texts cannot hold a NUL.
pub(crate) fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
