//! Seeking an order by what an operator has in hand: one of its events. And the other way round: dead letters about orders.
//!
//! Nothing here has an index of its own. An event is sought where relays wrote it down, among what waits, and among dead
//! letters; each look is bounded.

use sqlx::PgConnection;
use uuid::Uuid;

/// The most rows of the outbox, still to be published, that are looked through.
const WAITING_MAX: i64 = 10_000;

/// The newest dead letters that are looked through.
const LETTERS_MAX: i64 = 1_000;

/// The key, which is an order or an account, of an event of this service's outbox; none if it is not found.
pub async fn key_of_event(
    connection: &mut PgConnection,
    event_id: Uuid,
) -> Result<Option<Uuid>, sqlx::Error> {
    let published = sqlx::query_scalar!(
        "select outbox.key
         from messaging.publish_log as message
         join messaging.outbox on outbox.id between message.first_id and message.last_id
         where first_event <= $1 and last_event >= $1 and $1 = any(event_ids) and outbox.event_id = $1
         limit 1",
        event_id,
    )
    .fetch_optional(&mut *connection)
    .await?;
    if published.is_some() {
        return Ok(published);
    }
    sqlx::query_scalar!(
        "select key
         from (
             select key, event_id from messaging.outbox
             where id > (select min(settled_id) from messaging.lane)
             order by id
             limit $2
         ) as waiting
         where event_id = $1
         limit 1",
        event_id,
        WAITING_MAX,
    )
    .fetch_optional(connection)
    .await
}

/// The subject of the dead letter with this event id or of this trace, as its body says; none if there is none.
pub async fn subject_of_letter(
    connection: &mut PgConnection,
    event_id: Option<Uuid>,
    trace_id: Option<&str>,
) -> Result<Option<Uuid>, sqlx::Error> {
    let bodies = sqlx::query_scalar!(
        "select body
         from (
             select id, message_id, trace_id, body from messaging.dead_letter order by id desc limit $3
         ) as newest
         where message_id = $1 or trace_id = $2
         order by id desc
         limit 1",
        event_id,
        trace_id,
        LETTERS_MAX,
    )
    .fetch_optional(connection)
    .await?;
    let event: Option<serde_json::Value> =
        bodies.and_then(|body| serde_json::from_slice(&body).ok());
    Ok(event.and_then(|event| event["subject"].as_str()?.parse().ok()))
}

/// Those of the keys that one of the newest dead letters speaks of.
pub async fn keys_in_letters(
    connection: &mut PgConnection,
    keys: &[Uuid],
) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select key as "key!"
         from unnest($1::uuid[]) as asked (key)
         where exists (
             select from (
                 select body from messaging.dead_letter order by id desc limit $2
             ) as newest
             where position(convert_to(key::text, 'UTF8') in body) > 0
         )"#,
        keys,
        LETTERS_MAX,
    )
    .fetch_all(connection)
    .await
}
