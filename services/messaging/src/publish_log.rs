//! The publish log: which AMQP message carried which events and what the broker answered, for following an order.

use std::fmt;

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::publisher::Answer;

/// The most messages that are told of one event.
const CARRIERS_MAX: i64 = 20;

/// A message that was confirmed, or an event that was parked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// When the relay had read the last of its events from their lanes; none in the rows of older relays.
    pub picked_up_at: Option<OffsetDateTime>,
    /// The first attempt; of an event that was parked, when it was.
    pub published_at: OffsetDateTime,
    /// When the broker confirmed it; none if it was parked.
    pub confirmed_at: Option<OffsetDateTime>,
    /// The relay that published it.
    pub relay: String,
    /// The type of its events.
    pub kind: String,
    /// The lanes of its events, without repeats.
    pub lanes: Vec<i16>,
    /// For each lane, the epoch under which the relay owned it at the last attempt.
    pub epochs: Vec<i64>,
    /// The smallest and the largest outbox id in it.
    pub ids: (i64, i64),
    /// Its events, in their order.
    pub event_ids: Vec<Uuid>,
    /// How often it was published.
    pub attempts: i32,
    /// What became of it, from the first attempt to the last: [`Answers`] in words, or parked and why.
    pub outcome: String,
}

impl Logged {
    /// The epoch under which one of its lanes was owned; none in the rows of older relays.
    #[must_use]
    pub fn epoch(&self, lane: i16) -> Option<i64> {
        let place = self.lanes.iter().position(|known| *known == lane)?;
        self.epochs.get(place).copied()
    }
}

/// What the broker answered to a message, attempt by attempt. In words: `returned 3 times, timed_out, confirmed`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// The same answer several times in a row counts as one entry.
    runs: Vec<(&'static str, u32)>,
    /// Whether there were more, before the first that is kept.
    cut: bool,
}

impl Answers {
    /// The most entries: an answer that alternates for hours needs no more to be understood.
    const RUNS_MAX: usize = 12;

    /// The answer to one more attempt.
    pub fn push(&mut self, answer: &Answer) {
        let name = answer.as_str();
        match self.runs.last_mut() {
            Some((last, times)) if *last == name => *times = times.saturating_add(1),
            _ => self.runs.push((name, 1)),
        }
        if self.runs.len() > Self::RUNS_MAX {
            self.runs.remove(0);
            self.cut = true;
        }
    }
}

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = if self.cut { "others, " } else { "" };
        for (name, times) in &self.runs {
            write!(f, "{separator}{name}")?;
            if *times > 1 {
                write!(f, " {times} times")?;
            }
            separator = ", ";
        }
        Ok(())
    }
}

/// Messages as columns, for one statement. Arrays of arrays must be rectangular in SQL, so what each message has several
/// of stands in one long array, of which the message takes a slice.
#[derive(Debug, Default)]
struct Columns {
    picked_up_at: Vec<Option<OffsetDateTime>>,
    published_at: Vec<OffsetDateTime>,
    confirmed_at: Vec<Option<OffsetDateTime>>,
    relay: Vec<String>,
    kind: Vec<String>,
    first_id: Vec<i64>,
    last_id: Vec<i64>,
    first_event: Vec<Uuid>,
    last_event: Vec<Uuid>,
    attempts: Vec<i32>,
    outcome: Vec<String>,
    lanes: Vec<i16>,
    epochs: Vec<i64>,
    lanes_from: Vec<i32>,
    lanes_to: Vec<i32>,
    events: Vec<Uuid>,
    events_from: Vec<i32>,
    events_to: Vec<i32>,
}

impl Columns {
    fn of(messages: &[Logged]) -> Self {
        let end = |length: usize| i32::try_from(length).unwrap_or(i32::MAX);
        let mut all = Self::default();
        for message in messages {
            all.picked_up_at.push(message.picked_up_at);
            all.published_at.push(message.published_at);
            all.confirmed_at.push(message.confirmed_at);
            all.relay.push(message.relay.clone());
            all.kind.push(message.kind.clone());
            all.first_id.push(message.ids.0);
            all.last_id.push(message.ids.1);
            let events = message.event_ids.iter().copied();
            all.first_event
                .push(events.clone().min().unwrap_or_default());
            all.last_event
                .push(events.clone().max().unwrap_or_default());
            all.attempts.push(message.attempts);
            all.outcome.push(message.outcome.clone());
            all.lanes_from.push(end(all.lanes.len()).saturating_add(1));
            all.lanes.extend(&message.lanes);
            all.epochs.extend(&message.epochs);
            all.lanes_to.push(end(all.lanes.len()));
            all.events_from
                .push(end(all.events.len()).saturating_add(1));
            all.events.extend(events);
            all.events_to.push(end(all.events.len()));
        }
        all
    }
}

/// Writes messages down, in one statement.
pub async fn append(connection: &mut PgConnection, messages: &[Logged]) -> Result<(), sqlx::Error> {
    let all = Columns::of(messages);
    sqlx::query!(
        "insert into messaging.publish_log (published_at, confirmed_at, relay, type, first_id, last_id, first_event,
                                            last_event, attempts, outcome, picked_up_at, lanes, epochs, event_ids)
         select published_at, confirmed_at, relay, type, first_id, last_id, first_event, last_event, attempts, outcome,
                picked_up_at, ($11::smallint[])[lanes_from:lanes_to], ($12::bigint[])[lanes_from:lanes_to],
                ($15::uuid[])[events_from:events_to]
         from unnest($1::timestamptz[], $2::timestamptz[], $3::text[], $4::text[], $5::bigint[], $6::bigint[],
                     $7::uuid[], $8::uuid[], $9::integer[], $10::text[], $13::integer[], $14::integer[],
                     $16::integer[], $17::integer[], $18::timestamptz[])
              as message (published_at, confirmed_at, relay, type, first_id, last_id, first_event, last_event, attempts,
                          outcome, lanes_from, lanes_to, events_from, events_to, picked_up_at)",
        &all.published_at,
        &all.confirmed_at as &[Option<OffsetDateTime>],
        &all.relay,
        &all.kind,
        &all.first_id,
        &all.last_id,
        &all.first_event,
        &all.last_event,
        &all.attempts,
        &all.outcome,
        &all.lanes,
        &all.epochs,
        &all.lanes_from,
        &all.lanes_to,
        &all.events,
        &all.events_from,
        &all.events_to,
        &all.picked_up_at as &[Option<OffsetDateTime>],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What is written down of these events, each with its messages, the first one first: an event has more than one if it
/// was published again.
pub async fn of_events(
    connection: &mut PgConnection,
    events: &[Uuid],
) -> Result<Vec<(Uuid, Logged)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select asked.event_id as "event_id!", message.*
         from unnest($1::uuid[]) as asked (event_id)
         cross join lateral (
             select published_at, confirmed_at, relay, type as kind, lanes, epochs, first_id, last_id, event_ids, attempts,
                    outcome, picked_up_at
             from messaging.publish_log
             where first_event <= asked.event_id and last_event >= asked.event_id and asked.event_id = any(event_ids)
             order by published_at
             limit $2
         ) as message"#,
        events,
        CARRIERS_MAX,
    )
    .fetch_all(connection)
    .await?;
    let messages = rows.into_iter().map(|row| {
        let message = Logged {
            picked_up_at: row.picked_up_at,
            published_at: row.published_at,
            confirmed_at: row.confirmed_at,
            relay: row.relay,
            kind: row.kind,
            lanes: row.lanes,
            epochs: row.epochs,
            ids: (row.first_id, row.last_id),
            event_ids: row.event_ids,
            attempts: row.attempts,
            outcome: row.outcome,
        };
        (row.event_id, message)
    });
    Ok(messages.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(answers: &[Answer]) -> String {
        let mut all = Answers::default();
        for answer in answers {
            all.push(answer);
        }
        all.to_string()
    }

    #[test]
    fn answers_are_told_in_their_order_and_repeats_are_counted() {
        use Answer::{Confirmed, Nacked, Returned, TimedOut};
        assert_eq!(told(&[Confirmed]), "confirmed");
        assert_eq!(
            told(&[Returned, Returned, Returned, TimedOut, Nacked, Confirmed]),
            "returned 3 times, timed_out, nacked, confirmed"
        );
    }

    #[test]
    fn a_history_without_end_has_a_limit() {
        let endless: Vec<Answer> = (0..1_000)
            .flat_map(|_| [Answer::Returned, Answer::Nacked])
            .chain([Answer::Confirmed])
            .collect();
        let text = told(&endless);
        assert!(
            text.starts_with("others, ") && text.ends_with("nacked, confirmed"),
            "{text}"
        );
        assert!(text.len() < 200, "{text}");
    }
}
