//! Discarding: what can never be settled is given up, with a reason in words. A valid event is not simply dropped: its
//! service ends what it asked for, or refuses.

use serde_json::json;
use sqlx::PgTransaction;
use time::OffsetDateTime;
use tokio::time::Instant;

use super::{
    Filter,
    store::{self, End},
};
use crate::{
    consumer::{Content, Discard, Entry, Handler, Instants, Origin},
    failure::Failure,
    operation::{self, MAX_REASON_CHARS, Operation},
};

/// What discarding did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discarded {
    /// How many letters were deleted.
    pub letters: u64,
    /// How many valid events their service ended.
    pub ended: u64,
    /// Its record in the operators' log.
    pub operation_id: i64,
}

/// A letter that may not be discarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedLetter {
    /// Which.
    pub id: i64,
    /// Why, for the operator.
    pub why: String,
}

/// How discarding can fail. Nothing is changed then: the caller rolls its transaction back.
#[derive(Debug, thiserror::Error)]
pub enum DiscardError {
    /// No reason, or one that is too long.
    #[error("discarding needs a reason of 1 to {MAX_REASON_CHARS} characters")]
    Reason,
    /// Some of the letters hold valid events that must be settled and not discarded.
    #[error("{} of the letters may not be discarded", .0.len())]
    Refused(Vec<RefusedLetter>),
    /// The service could not end what an event asked for.
    #[error("a letter could not be discarded")]
    Failed(#[source] Failure),
}

impl From<sqlx::Error> for DiscardError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Discards the letters of the handler's queue that a filter means, oldest first, all or none of them. Recorded in the
/// operators' log. After the commit the caller rings what [`Handler::committed`] rings.
pub async fn discard<H: Handler>(
    tx: &mut PgTransaction<'_>,
    handler: &H,
    filter: &Filter,
    by: &str,
    reason: &str,
) -> Result<Discarded, DiscardError> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > MAX_REASON_CHARS {
        return Err(DiscardError::Reason);
    }
    let letters = chosen(tx, H::QUEUE.name, filter).await?;
    let mut refused = Vec::new();
    let mut ended = 0;
    for letter in &letters {
        for entry in letter.entries(handler) {
            let Content::Message(received) = &entry.content else {
                continue;
            };
            let discarded = handler.discard(tx, received).await;
            match discarded.map_err(DiscardError::Failed)? {
                Discard::Ended => ended += 1,
                Discard::Refused(why) => refused.push(RefusedLetter { id: letter.id, why }),
            }
        }
    }
    if !refused.is_empty() {
        return Err(DiscardError::Refused(refused));
    }
    let ids: Vec<i64> = letters.iter().map(|letter| letter.id).collect();
    store::end(tx, &ids, End::Discarded).await?;
    let letters = u64::try_from(ids.len()).expect("a count fits");
    let operation = Operation {
        who: by,
        action: "dead_letters.discard",
        parameters: json!({"filter": filter.to_json(), "ids": ids, "ended": ended}),
        affected: letters,
        reason: Some(reason),
        request_id: None,
        result: None,
    };
    Ok(Discarded {
        letters,
        ended,
        operation_id: operation::record(tx, &operation).await?,
    })
}

/// A letter to be discarded.
struct Chosen {
    id: i64,
    whole_message: bool,
    routing_key: String,
    headers: serde_json::Value,
    body: Vec<u8>,
}

impl Chosen {
    /// What it holds, read as the consumer would read it if age did not matter.
    fn entries<H: Handler>(&self, handler: &H) -> Vec<Entry<'_, H::Message>> {
        let instants = Instants::of_any_age(OffsetDateTime::now_utc());
        let origin = Origin::Row {
            routing_key: &self.routing_key,
            headers: &self.headers,
            taken_up: Instant::now(),
        };
        if self.whole_message {
            Entry::of_message(handler, &self.body, origin, instants)
        } else {
            vec![Entry::of_event(handler, &self.body, origin, instants)]
        }
    }
}

/// Locks the letters a filter means.
async fn chosen(
    tx: &mut PgTransaction<'_>,
    queue: &str,
    filter: &Filter,
) -> Result<Vec<Chosen>, sqlx::Error> {
    sqlx::query_as!(
        Chosen,
        "select id, whole_message, routing_key, headers, body
         from messaging.dead_letter
         where consumer = $1
           and ($2::text is null or consumer = $2)
           and ($3::text is null or reason_class = $3)
           and ($4::text is null or type = $4)
           and ($5::float8 is null or first_seen_at <= now() - make_interval(secs => $5))
           and ($6::bigint[] is null or id = any($6))
           and ($8::bigint is null or id > $8)
         order by id
         limit $7
         for update",
        queue,
        filter.queue.as_deref(),
        filter.reason(),
        filter.kind.as_deref(),
        filter.min_age_seconds(),
        filter.ids(),
        filter.limit(),
        filter.after,
    )
    .fetch_all(&mut **tx)
    .await
}
