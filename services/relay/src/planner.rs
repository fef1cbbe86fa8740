//! From rows to AMQP messages: batches of one type, with no key in two messages at once.
//!
//! A key is in at most one unconfirmed message, so a nack or a time-out cannot swap two events of a key. A key's later
//! rows are held until the message with its earlier ones is confirmed, or join that message while it is being put
//! together.

use std::collections::{HashMap, VecDeque};

use messaging::{outbox::OutboxRow, publisher::Outgoing};
use time::OffsetDateTime;
use uuid::Uuid;

/// The most events in one AMQP message.
pub const EVENTS_PER_MESSAGE: u16 = 100;

/// The most bytes in one AMQP message: below the broker's frame of 128 KiB.
pub(crate) const MAX_BYTES: usize = 100 * 1024;

/// A row on its way, the read it came by and when, and the epoch under which its lane was owned then.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub row: OutboxRow,
    pub read: u64,
    pub read_at: OffsetDateTime,
    pub epoch: i64,
}

/// The rows of a message that is published, or is to be published again.
#[derive(Debug)]
pub(crate) struct Planned {
    pub kind: String,
    pub rows: Vec<Pending>,
}

impl Planned {
    /// Joins the rows' events, which are final, into a JSON array.
    pub(crate) fn message(&self) -> Outgoing {
        let bytes: usize = self.rows.iter().map(|it| it.row.body.len() + 1).sum();
        let mut body = Vec::with_capacity(bytes + 1);
        for it in &self.rows {
            body.push(if body.is_empty() { b'[' } else { b',' });
            body.extend_from_slice(&it.row.body);
        }
        body.push(b']');
        Outgoing {
            kind: self.kind.clone(),
            message_id: self.rows[0].row.event_id,
            body,
        }
    }
}

/// What is to be done next.
#[derive(Debug)]
pub(crate) enum Next {
    /// A message to be published.
    Publish(Planned),
    /// An event that fits into no message, and all that is held of its key.
    Park(Vec<Pending>),
}

/// Rows that were read and are not in a message yet.
#[derive(Debug)]
pub(crate) struct Planner {
    /// The most events it puts into one message.
    most_events: u16,
    /// By type, the first rows of keys that are in no message.
    ready: HashMap<String, VecDeque<Pending>>,
    /// An entry for each key that is ready or in a message, with its later rows.
    keys: HashMap<Uuid, VecDeque<Pending>>,
    /// How many rows wait, by type.
    waiting: HashMap<String, usize>,
}

impl Planner {
    pub(crate) fn new(most_events: u16) -> Self {
        Self {
            most_events: most_events.clamp(1, EVENTS_PER_MESSAGE),
            ready: HashMap::new(),
            keys: HashMap::new(),
            waiting: HashMap::new(),
        }
    }

    /// Forgets all rows.
    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.most_events);
    }

    /// Takes a row in; rows of a key come in their order.
    pub(crate) fn push(&mut self, pending: Pending) {
        match self.waiting.get_mut(&pending.row.kind) {
            Some(waiting) => *waiting += 1,
            None => {
                self.waiting.insert(pending.row.kind.clone(), 1);
            }
        }
        if let Some(later) = self.keys.get_mut(&pending.row.key) {
            later.push_back(pending);
        } else {
            self.keys.insert(pending.row.key, VecDeque::new());
            self.make_ready(pending);
        }
    }

    /// How many rows of the types for which `counts` says so wait to be put into messages.
    pub(crate) fn waiting(&self, counts: impl Fn(&str) -> bool) -> usize {
        let waiting = self.waiting.iter();
        waiting
            .filter(|(kind, _)| counts(kind))
            .map(|(_, rows)| rows)
            .sum()
    }

    /// Whether there is a next message of a type that `may` go.
    pub(crate) fn is_ready(&self, may: impl Fn(&str) -> bool) -> bool {
        let mut ready = self.ready.iter();
        ready.any(|(kind, rows)| !rows.is_empty() && may(kind))
    }

    /// The next message of a type that `may` go, beginning with the oldest row.
    pub(crate) fn next(&mut self, may: impl Fn(&str) -> bool) -> Option<Next> {
        let fronts = self
            .ready
            .iter()
            .filter_map(|(kind, rows)| Some((kind, rows.front()?.row.id)));
        let (kind, _) = fronts
            .filter(|(kind, _)| may(kind))
            .min_by_key(|(_, id)| *id)?;
        let kind = kind.clone();
        let mut ready = self.ready.remove(&kind)?;
        let mut rows: Vec<Pending> = Vec::new();
        let mut bytes = 2;
        let most = usize::from(self.most_events);
        let room_for =
            |next: Option<&Pending>, rows, bytes| room_for(next, bytes).filter(|_| rows < most);
        while let Some(size) = room_for(ready.front(), rows.len(), bytes) {
            bytes += size;
            let Some(first) = ready.pop_front() else {
                break;
            };
            let later = self.keys.entry(first.row.key).or_default();
            rows.push(first);
            // Its next events of the same type may share the message: within one, order holds.
            while later.front().is_some_and(|next| next.row.kind == kind)
                && let Some(size) = room_for(later.front(), rows.len(), bytes)
            {
                bytes += size;
                rows.extend(later.pop_front());
            }
        }
        let taken = if rows.is_empty() {
            self.unsendable(ready.pop_front()?)
        } else {
            self.left(&kind, rows.len());
            Next::Publish(Planned {
                kind: kind.clone(),
                rows,
            })
        };
        if !ready.is_empty() {
            self.ready.entry(kind).or_default().extend(ready);
        }
        Some(taken)
    }

    /// The message with these rows is confirmed or given up: their keys' next rows are ready.
    pub(crate) fn settled(&mut self, rows: &[Pending]) {
        let mut keys: Vec<Uuid> = rows.iter().map(|it| it.row.key).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            match self.keys.get_mut(&key).map(VecDeque::pop_front) {
                Some(Some(next)) => self.make_ready(next),
                _ => {
                    self.keys.remove(&key);
                }
            }
        }
    }

    fn unsendable(&mut self, first: Pending) -> Next {
        let mut rows = vec![first];
        rows.extend(self.keys.remove(&rows[0].row.key).unwrap_or_default());
        for it in &rows {
            self.left(&it.row.kind, 1);
        }
        Next::Park(rows)
    }

    fn left(&mut self, kind: &str, rows: usize) {
        if let Some(waiting) = self.waiting.get_mut(kind) {
            *waiting = waiting.saturating_sub(rows);
        }
    }

    fn make_ready(&mut self, pending: Pending) {
        match self.ready.get_mut(&pending.row.kind) {
            Some(ready) => ready.push_back(pending),
            None => {
                self.ready
                    .insert(pending.row.kind.clone(), VecDeque::from([pending]));
            }
        }
    }
}

/// What the next row adds to a message, in bytes, if it has room for it.
fn room_for(next: Option<&Pending>, bytes: usize) -> Option<usize> {
    let size = next?.row.body.len() + 1;
    (bytes + size <= MAX_BYTES).then_some(size)
}

#[cfg(test)]
mod tests;
