//! Following one order through a service's outbox and inbox: hop by hop, with instants and owners.
//!
//! Neither table has an index on what an event is about: writing one would cost every event, and this question is asked
//! at 3 a.m. What a service knows of an order leads to the transaction that wrote it, and a transaction's events are
//! found by the index on `xid`.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::publish_log::{self, Logged};

/// The most events of one order that are followed.
pub const EVENTS_MAX: i64 = 100;

/// An event that can never be sent.
const PARKED: &str = "outbox.parked";

/// Something that happened to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// When; none for what has no instant, such as an event that still waits.
    pub at: Option<OffsetDateTime>,
    /// What, as a dotted name: `outbox.appended`.
    pub step: &'static str,
    /// Who did it or is to do it: a relay, a queue's consumer, a part of a service.
    pub owner: Option<String>,
    /// The lane of the outbox that it happened in.
    pub lane: Option<i16>,
    /// The epoch under which the owner had the lane.
    pub epoch: Option<i64>,
    /// How often it was tried, or how often it came; none for what happens once.
    pub attempts: Option<i32>,
    /// The event it was about.
    pub event_id: Option<Uuid>,
    /// More of it, in words.
    pub detail: String,
}

/// A transaction that may have appended events, and whose it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer {
    /// Its number, as a text of `xid8`.
    pub transaction: String,
    /// A part of the service, or the queue whose consumer it was.
    pub owner: &'static str,
}

/// The hops of a service's events about one key: each appended, and published, parked or waiting.
pub async fn sent(
    connection: &mut PgConnection,
    key: Uuid,
    writers: &[Writer],
) -> Result<Vec<Hop>, sqlx::Error> {
    let transactions: Vec<String> = writers.iter().map(|it| it.transaction.clone()).collect();
    let rows = sqlx::query_as!(
        SentEvent,
        r#"select outbox.id, outbox.lane, outbox.event_id, outbox.type as kind, appended_at,
                  outbox.xid::text as "transaction!", owner, epoch,
                  pg_visible_in_snapshot(outbox.xid, lane.settled) as "settled!", parked_at as "parked_at?"
           from messaging.outbox join messaging.lane on lane.lane = outbox.lane
           left join messaging.parked on outbox_id = outbox.id
           where outbox.xid = any($1::text[]::xid8[]) and outbox.key = $2
           order by outbox.id
           limit $3"#,
        &transactions,
        key,
        EVENTS_MAX,
    )
    .fetch_all(&mut *connection)
    .await?;
    let events: Vec<Uuid> = rows.iter().map(|row| row.event_id).collect();
    let logged = publish_log::of_events(connection, &events).await?;
    let mut hops = Vec::new();
    for row in rows {
        let writer = writers.iter().find(|it| it.transaction == row.transaction);
        let about = logged.iter().filter(|(event, _)| *event == row.event_id);
        let about: Vec<&Logged> = about.map(|(_, message)| message).collect();
        hops.push(row.appended(writer.map(|it| it.owner)));
        if about.is_empty() {
            hops.push(row.not_logged());
        }
        hops.extend(about.into_iter().flat_map(|message| row.logged(message)));
    }
    Ok(hops)
}

/// An event of the outbox, and how its lane stands.
struct SentEvent {
    id: i64,
    lane: i16,
    event_id: Uuid,
    kind: String,
    appended_at: OffsetDateTime,
    transaction: String,
    owner: Option<String>,
    epoch: i64,
    settled: bool,
    parked_at: Option<OffsetDateTime>,
}

impl SentEvent {
    fn appended(&self, owner: Option<&str>) -> Hop {
        Hop {
            at: Some(self.appended_at),
            step: "outbox.appended",
            owner: owner.map(str::to_owned),
            epoch: None,
            detail: format!("{} as row {}", self.kind, self.id),
            ..self.hop()
        }
    }

    /// What the log says of it: picked up, published and confirmed, or parked.
    fn logged(&self, message: &Logged) -> Vec<Hop> {
        let hop = |at, step, detail| Hop {
            at: Some(at),
            step,
            owner: Some(message.relay.clone()),
            epoch: message.epoch(self.lane),
            detail,
            ..self.hop()
        };
        let picked_up = message.picked_up_at.map(|at| {
            let detail = "read from its lane".to_owned();
            hop(at, "outbox.picked_up", detail)
        });
        let Some(confirmed_at) = message.confirmed_at else {
            let parked = hop(message.published_at, PARKED, message.outcome.clone());
            return picked_up.into_iter().chain([parked]).collect();
        };
        let others = match message.event_ids.len() {
            1 => "alone in a message".to_owned(),
            events => format!("in a message of {events} events"),
        };
        let published = Hop {
            attempts: Some(message.attempts),
            ..hop(message.published_at, "outbox.published", others)
        };
        let confirmed = hop(confirmed_at, "outbox.confirmed", message.outcome.clone());
        picked_up
            .into_iter()
            .chain([published, confirmed])
            .collect()
    }

    /// The log is written with the lane's position, and keeps only some days: it may say nothing.
    fn not_logged(&self) -> Hop {
        let (step, detail) = match (self.parked_at, self.settled) {
            (Some(_), _) => (PARKED, "parked, by whom was not written down"),
            (None, true) => (
                "outbox.published",
                "confirmed by the broker; when and by whom was not written down, or no more is",
            ),
            (None, false) => ("outbox.waiting", "not yet written back as published"),
        };
        let waits = step == "outbox.waiting";
        Hop {
            at: self.parked_at,
            step,
            owner: self.owner.clone().filter(|_| waits),
            epoch: waits.then_some(self.epoch),
            detail: detail.to_owned(),
            ..self.hop()
        }
    }

    fn hop(&self) -> Hop {
        Hop {
            at: None,
            step: "",
            owner: None,
            lane: Some(self.lane),
            epoch: None,
            attempts: None,
            event_id: Some(self.event_id),
            detail: String::new(),
        }
    }
}

/// An event that was taken from a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What it looks like in a trace.
    pub hop: Hop,
    /// The transaction that settled it, as a text of `xid8`: whatever the service answered, it appended there.
    pub transaction: Option<String>,
}

/// The receipts of these events at a queue's consumer: settled, come again, put off, or dead.
pub async fn received(
    connection: &mut PgConnection,
    queue: &'static str,
    events: &[Uuid],
) -> Result<Vec<Receipt>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select message_id as "event_id!", received_at as "at!", 'inbox.received' as "step!",
               'settled, or put off, in one transaction' as "detail!",
               messaging.transaction_of(inbox.xmin)::text as transaction, null::integer as attempts
        from messaging.inbox
        where consumer = $1 and message_id = any($2)
        union all
        select message_id, first_seen_at, 'inbox.duplicate',
               'it had its effect before, and had none again; the last came at ' || last_seen_at, null, times
        from messaging.duplicate
        where consumer = $1 and message_id = any($2)
        union all
        select message_id, first_seen_at, 'inbox.deferred', reason_class || ': ' || reason, null, attempts
        from messaging.deferred
        where consumer = $1 and message_id = any($2)
        union all
        select message_id, first_seen_at, 'dead_letter',
               'dead letter ' || id || ', ' || reason_class || ': ' || reason, null, attempts
        from messaging.dead_letter
        where consumer = $1 and message_id = any($2)
        order by 2
        limit $3"#,
        queue,
        events,
        EVENTS_MAX,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Receipt {
            hop: Hop {
                at: Some(row.at),
                step: match row.step.as_str() {
                    "inbox.received" => "inbox.received",
                    "inbox.duplicate" => "inbox.duplicate",
                    "inbox.deferred" => "inbox.deferred",
                    _ => "dead_letter",
                },
                owner: Some(queue.to_owned()),
                lane: None,
                epoch: None,
                attempts: row.attempts,
                event_id: Some(row.event_id),
                detail: row.detail,
            },
            transaction: row.transaction,
        })
        .collect())
}
