//! Looking at dead letters: page by page, counted by reason, or one of them whole.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::Filter;

/// A dead letter without its headers and body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// Its identity; grows with time.
    pub id: i64,
    /// The queue whose consumer gave up.
    pub queue: String,
    /// The event id, where it can be read.
    pub message_id: Option<Uuid>,
    /// The event type, where it can be read.
    pub kind: Option<String>,
    /// Whether the body is a whole message, which may hold many events.
    pub whole_message: bool,
    /// The class of the reason: [`crate::failure::ReasonClass::as_str`], or one that a newer version knows.
    pub reason_class: String,
    /// The reason in words.
    pub reason: String,
    /// How often it arrived or died.
    pub occurrences: i32,
    /// How often settling it was tried.
    pub attempts: i32,
    /// The trace it belongs to, where it can be read.
    pub trace_id: Option<String>,
    /// When it first became a dead letter.
    #[serde(with = "time::serde::rfc3339")]
    pub first_seen_at: OffsetDateTime,
    /// When it last did.
    #[serde(with = "time::serde::rfc3339")]
    pub last_seen_at: OffsetDateTime,
    /// From when on it is settled again, if an operator wants it.
    #[serde(with = "time::serde::rfc3339::option")]
    pub redrive_at: Option<OffsetDateTime>,
    /// The operator who wants it.
    pub redrive_by: Option<String>,
    /// Under which request: [`super::RedriveRequest::id`].
    #[serde(default)]
    pub redrive_request: Option<Uuid>,
}

/// A dead letter whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeLetter {
    /// What a list says of it.
    pub letter: Letter,
    /// The routing key it came with.
    pub routing_key: String,
    /// The AMQP headers and properties it came with.
    pub headers: Value,
    /// The event, or the whole message.
    pub body: Vec<u8>,
}

/// How many letters there are for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonCount {
    /// The queue.
    pub queue: String,
    /// The class of the reason.
    pub reason_class: String,
    /// How many.
    pub letters: i64,
    /// How many of them are marked to be settled again.
    pub marked: i64,
    /// When the first of them became a dead letter.
    #[serde(with = "time::serde::rfc3339")]
    pub oldest: OffsetDateTime,
}

/// The letters a filter means, newest first, at most its limit; `before` is the id of the last one on the page before. A
/// page that is full may have a next one.
pub async fn list(
    connection: &mut PgConnection,
    filter: &Filter,
    before: Option<i64>,
) -> Result<Vec<Letter>, sqlx::Error> {
    sqlx::query_as!(
        Letter,
        "select id, consumer as queue, message_id, type as kind, whole_message, reason_class, reason, occurrences,
                attempts, trace_id, first_seen_at, last_seen_at, redrive_at, redrive_by,
                redrive_request
         from messaging.dead_letter
         where ($1::text is null or consumer = $1)
           and ($2::text is null or reason_class = $2)
           and ($3::text is null or type = $3)
           and ($4::float8 is null or first_seen_at <= now() - make_interval(secs => $4))
           and ($5::bigint[] is null or id = any($5))
           and id < $6
           and ($8::bigint is null or id > $8)
         order by id desc
         limit $7",
        filter.queue.as_deref(),
        filter.reason(),
        filter.kind.as_deref(),
        filter.min_age_seconds(),
        filter.ids(),
        before.unwrap_or(i64::MAX),
        filter.limit(),
        filter.after,
    )
    .fetch_all(connection)
    .await
}

/// How many letters a filter means, by queue and reason; its limit does not matter here.
pub async fn count_by_reason(
    connection: &mut PgConnection,
    filter: &Filter,
) -> Result<Vec<ReasonCount>, sqlx::Error> {
    sqlx::query_as!(
        ReasonCount,
        r#"select consumer as queue, reason_class, count(*) as "letters!", count(redrive_at) as "marked!",
                  min(first_seen_at) as "oldest!"
         from messaging.dead_letter
         where ($1::text is null or consumer = $1)
           and ($2::text is null or reason_class = $2)
           and ($3::text is null or type = $3)
           and ($4::float8 is null or first_seen_at <= now() - make_interval(secs => $4))
           and ($5::bigint[] is null or id = any($5))
           and ($6::bigint is null or id > $6)
         group by consumer, reason_class
         order by consumer, reason_class"#,
        filter.queue.as_deref(),
        filter.reason(),
        filter.kind.as_deref(),
        filter.min_age_seconds(),
        filter.ids(),
        filter.after,
    )
    .fetch_all(connection)
    .await
}

/// The most letters that are counted for the metric.
const MAX_COUNTED: i64 = 10_000;

/// The letters of one queue for one reason, as the metric tells of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LettersOfReason {
    /// The class of the reason.
    pub(crate) reason_class: String,
    /// How many of those that were counted.
    pub(crate) letters: i64,
    /// How long ago the first of them became a dead letter.
    pub(crate) oldest_age_seconds: f64,
}

/// The letters of a queue by reason: the database's oldest [`MAX_COUNTED`], for it is asked every few seconds.
pub(crate) async fn oldest_by_reason(
    connection: &mut PgConnection,
    queue: &str,
) -> Result<Vec<LettersOfReason>, sqlx::Error> {
    sqlx::query_as!(
        LettersOfReason,
        r#"select reason_class, count(*) as "letters!",
                  extract(epoch from clock_timestamp() - min(first_seen_at))::float8 as "oldest_age_seconds!"
         from (
             select consumer, reason_class, first_seen_at
             from messaging.dead_letter
             order by id
             limit $2
         ) as counted
         where consumer = $1
         group by reason_class"#,
        queue,
        MAX_COUNTED,
    )
    .fetch_all(connection)
    .await
}

/// One letter whole; none if it is not there, or not any more.
pub async fn show(
    connection: &mut PgConnection,
    id: i64,
) -> Result<Option<WholeLetter>, sqlx::Error> {
    let row = sqlx::query!(
        "select id, consumer as queue, message_id, type as kind, whole_message, reason_class, reason, occurrences,
                attempts, trace_id, first_seen_at, last_seen_at, redrive_at, redrive_by,
                redrive_request, routing_key, headers, body
         from messaging.dead_letter
         where id = $1",
        id,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| WholeLetter {
        letter: Letter {
            id: row.id,
            queue: row.queue,
            message_id: row.message_id,
            kind: row.kind,
            whole_message: row.whole_message,
            reason_class: row.reason_class,
            reason: row.reason,
            occurrences: row.occurrences,
            attempts: row.attempts,
            trace_id: row.trace_id,
            first_seen_at: row.first_seen_at,
            last_seen_at: row.last_seen_at,
            redrive_at: row.redrive_at,
            redrive_by: row.redrive_by,
            redrive_request: row.redrive_request,
        },
        routing_key: row.routing_key,
        headers: row.headers,
        body: row.body,
    }))
}
