//! Dead letters: messages that cannot be settled, kept whole as rows with their reason, and what operators do with them.

mod filter;
mod look;
mod redrive;

use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::PgTransaction;
use uuid::Uuid;

pub use self::{
    filter::{DEFAULT_LETTERS, Filter, MAX_LETTERS},
    look::{Letter, ReasonCount, WholeLetter, count_by_reason, list, show},
    redrive::{PLAN_SAMPLES, Plan, Redriven, cancel_redrive, plan_redrive, redrive},
};
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
        sqlx::query!(
            "insert into messaging.dead_letter as stored
                 (consumer, message_id, body_digest, type, routing_key, headers, body, reason_class, reason, trace_id)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             on conflict (consumer, message_id, body_digest) do update
                 set occurrences = stored.occurrences + 1, last_seen_at = now()",
            consumer,
            letter.message_id,
            &Sha256::digest(&letter.body)[..],
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
    }
    Ok(())
}

/// Which of these ids are in dead letters already: they are not executed.
pub(crate) async fn among(
    tx: &mut PgTransaction<'_>,
    consumer: &str,
    ids: &[Uuid],
) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select distinct message_id as "id!" from messaging.dead_letter where consumer = $1 and message_id = any($2)"#,
        consumer,
        ids,
    )
    .fetch_all(&mut **tx)
    .await
}

/// Text that Postgres can store: its texts cannot hold a NUL.
pub(crate) fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
