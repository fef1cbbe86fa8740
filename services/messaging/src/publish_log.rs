//! The publish log: which AMQP message carried which events, for following an order through the broker.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// One message that the broker confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// The first attempt.
    pub published_at: OffsetDateTime,
    /// When the broker confirmed it.
    pub confirmed_at: OffsetDateTime,
    /// The relay that published it.
    pub relay: String,
    /// The type of its events.
    pub kind: String,
    /// The lanes of its events, without repeats.
    pub lanes: Vec<i16>,
    /// The smallest and the largest outbox id in it.
    pub ids: (i64, i64),
    /// Its events, in their order.
    pub event_ids: Vec<Uuid>,
    /// How often it was published.
    pub attempts: i32,
}

/// Writes messages down, in one statement.
pub async fn append(connection: &mut PgConnection, messages: &[Logged]) -> Result<(), sqlx::Error> {
    // Arrays of arrays must be rectangular in SQL, so each row's lists travel as JSON.
    let rows: Vec<serde_json::Value> = messages.iter().map(as_row).collect();
    sqlx::query!(
        "insert into messaging.publish_log (published_at, confirmed_at, relay, type, lanes, first_id, last_id,
                                            first_event, last_event, event_ids, attempts, outcome)
         select published_at, confirmed_at, relay, type, lanes, first_id, last_id,
                (select min(id::text)::uuid from unnest(event_ids) as id),
                (select max(id::text)::uuid from unnest(event_ids) as id),
                event_ids, attempts, 'confirmed'
         from jsonb_to_recordset($1) as message (published_at timestamptz, confirmed_at timestamptz, relay text,
              type text, lanes smallint[], first_id bigint, last_id bigint, event_ids uuid[], attempts integer)",
        serde_json::Value::Array(rows),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The messages that carried exactly this event, the first one first: more than one if it was published again.
pub async fn of_event(
    connection: &mut PgConnection,
    event_id: Uuid,
) -> Result<Vec<Logged>, sqlx::Error> {
    let rows = sqlx::query!(
        "select published_at, confirmed_at, relay, type as kind, lanes, first_id, last_id, event_ids, attempts
         from messaging.publish_log
         where first_event <= $1 and last_event >= $1 and $1 = any(event_ids)
         order by published_at",
        event_id,
    )
    .fetch_all(connection)
    .await?;
    let messages = rows.into_iter().map(|row| Logged {
        published_at: row.published_at,
        confirmed_at: row.confirmed_at,
        relay: row.relay,
        kind: row.kind,
        lanes: row.lanes,
        ids: (row.first_id, row.last_id),
        event_ids: row.event_ids,
        attempts: row.attempts,
    });
    Ok(messages.collect())
}

fn as_row(message: &Logged) -> serde_json::Value {
    let instant = |at: OffsetDateTime| {
        at.format(&time::format_description::well_known::Rfc3339)
            .unwrap_or_default()
    };
    serde_json::json!({
        "published_at": instant(message.published_at),
        "confirmed_at": instant(message.confirmed_at),
        "relay": message.relay,
        "type": message.kind,
        "lanes": message.lanes,
        "first_id": message.ids.0,
        "last_id": message.ids.1,
        "event_ids": message.event_ids,
        "attempts": message.attempts,
    })
}
