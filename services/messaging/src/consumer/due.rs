//! What is due among our own rows: deferred events, and letters that an operator wants settled again. They go through the
//! same handler as what the broker delivers, whether or not there is a broker.

use std::time::Duration;

use serde_json::Value;
use time::OffsetDateTime;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    Consumer, Content, Entry, Handler, RETRY, entry::Row, envelope::Instants, lot::Lot,
    origin::Origin,
};
use crate::{
    dead_letter::store,
    deferred,
    failure::{Failure, ReasonClass, Rejection},
    inbox,
    span::Attempt,
};

/// The most rows taken up at once.
const MAX_ROWS: i64 = 100;

/// The pause before the next look when something was due.
const BUSY_PAUSE: Duration = Duration::from_millis(20);

impl<H: Handler> Consumer<H> {
    /// Settles one round of what is due: up to a hundred deferred events and a hundred letters. Says how many rows were
    /// found due; another replica may have settled some of them.
    pub async fn settle_due(&self) -> Result<usize, Failure> {
        Ok(self.settle_deferred().await? + self.settle_letters().await?)
    }

    /// Settles what is due, again and again until stopped.
    pub(super) async fn run_due(&self, stop: &CancellationToken) {
        let mut pause = RETRY.0;
        loop {
            let wait = match self.settle_due().await {
                Ok(rows) => {
                    pause = RETRY.0;
                    if rows > 0 {
                        BUSY_PAUSE.min(self.schedule.poll)
                    } else {
                        self.schedule.poll
                    }
                }
                Err(failure) => {
                    tracing::warn!(
                        queue = H::QUEUE.name,
                        error = &failure as &dyn std::error::Error,
                        "what is due could not be settled for now; trying again"
                    );
                    pause = (pause * 2).min(RETRY.1);
                    pause
                }
            };
            let wait = tokio::time::sleep(wait);
            if stop.run_until_cancelled(wait).await.is_none() || stop.is_cancelled() {
                return;
            }
        }
    }

    async fn settle_deferred(&self) -> Result<usize, Failure> {
        let taken_up = Instant::now();
        let rows = deferred::due(self.pool.unmeasured(), H::QUEUE.name, MAX_ROWS).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let instants = Instants::of_any_age(OffsetDateTime::now_utc());
        let entries: Vec<_> = rows
            .iter()
            .map(|row| {
                let origin = origin(&row.routing_key, &row.headers, taken_up);
                let mut entry = Entry::of_event(&self.handler, &row.body, origin, instants);
                entry.row = Some(Row {
                    id: row.id,
                    attempts: row.attempts,
                    entered: true,
                });
                entry
            })
            .collect();
        self.settling().settle(Lot::Deferred, &entries).await?;
        Ok(rows.len())
    }

    async fn settle_letters(&self) -> Result<usize, Failure> {
        let taken_up = Instant::now();
        let pool = self.pool.unmeasured();
        let letters = store::due(pool, H::QUEUE.name, MAX_ROWS).await?;
        if letters.is_empty() {
            return Ok(0);
        }
        let horizon = inbox::horizon(pool).await?;
        let mut entries = Vec::new();
        for letter in &letters {
            let opened = self.open(letter, taken_up);
            if !letter.whole_message || is_unopened(&opened) {
                entries.extend(opened);
                continue;
            }
            let lot = Lot::Opened {
                letter: letter.id,
                horizon,
            };
            match self.settling().attempt(lot, Attempt::Again, &opened).await {
                Ok(_) => {}
                Err(Failure::Permanent(rejection)) => {
                    entries.push(unopened(letter, taken_up, rejection));
                }
                Err(failure) => return Err(failure),
            }
        }
        let lot = Lot::Letters { horizon };
        self.settling().settle(lot, &entries).await?;
        Ok(letters.len())
    }

    /// What a letter holds. The events of a whole message become deferred events that are due at once, so that each has
    /// its own transaction, attempts and end; a letter that holds one event stays its row.
    fn open<'l>(&self, letter: &'l store::Due, taken_up: Instant) -> Vec<Entry<'l, H::Message>> {
        let instants = Instants::of_any_age(OffsetDateTime::now_utc());
        let origin = origin(&letter.routing_key, &letter.headers, taken_up);
        if letter.whole_message {
            Entry::of_message(&self.handler, &letter.body, origin, instants)
                .into_iter()
                .map(|entry| taken_out(entry, letter))
                .collect()
        } else {
            let entry = Entry::of_event(&self.handler, &letter.body, origin, instants);
            vec![Entry {
                row: Some(row(letter)),
                ..entry
            }]
        }
    }
}

fn origin<'r>(routing_key: &'r str, headers: &'r Value, taken_up: Instant) -> Origin<'r> {
    Origin::Row {
        routing_key,
        headers,
        taken_up,
    }
}

/// An event that is taken out of a whole message waits in a row of its own; a message that cannot be opened stays.
fn taken_out<'l, T: Clone>(entry: Entry<'l, T>, letter: &store::Due) -> Entry<'l, T> {
    if entry.parcel.whole_message {
        return Entry {
            row: Some(row(letter)),
            ..entry
        };
    }
    match entry.content {
        Content::Message(_) => entry.with(Content::Later(Rejection::new(
            ReasonClass::Broker,
            "taken out of a message that an operator wants settled again",
        ))),
        Content::Later(_) | Content::Dead(_) => entry,
    }
}

fn unopened<T: Clone>(
    letter: &store::Due,
    taken_up: Instant,
    rejection: Rejection,
) -> Entry<'_, T> {
    let origin = origin(&letter.routing_key, &letter.headers, taken_up);
    Entry {
        row: Some(row(letter)),
        ..Entry::of_unopened(&letter.body, origin, rejection)
    }
}

/// The row of a letter. One that has an id was entered into the inbox when it became a letter.
const fn row(letter: &store::Due) -> Row {
    Row {
        id: letter.id,
        attempts: letter.attempts,
        entered: letter.message_id.is_some(),
    }
}

fn is_unopened<T>(opened: &[Entry<'_, T>]) -> bool {
    opened.iter().any(|entry| entry.parcel.whole_message)
}
