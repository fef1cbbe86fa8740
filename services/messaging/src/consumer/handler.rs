//! What a service does with the messages of one queue.

use contracts::{EventId, TraceContext};
use sqlx::PgTransaction;
use time::OffsetDateTime;

use super::Event;
use crate::{
    failure::{Failure, Rejection},
    topology::Queue,
};

/// A message with what the handler needs to know of its event.
#[derive(Debug, Clone)]
pub struct Received<T> {
    /// The event's identity.
    pub event_id: EventId,
    /// The trace it belongs to.
    pub trace: TraceContext,
    /// When the consumer took it up.
    pub received_at: OffsetDateTime,
    /// The decoded message.
    pub message: T,
}

/// One event of a batch that was not settled while the rest stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsettled {
    /// Its place in the batch.
    pub index: usize,
    /// What is to become of it.
    pub outcome: Outcome,
}

impl Unsettled {
    /// Why it was not settled.
    #[must_use]
    pub const fn rejection(&self) -> &Rejection {
        match &self.outcome {
            Outcome::NotYet(rejection) | Outcome::Rejected(rejection) => rejection,
        }
    }
}

/// What is to become of an event that was not settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Something it follows is not there yet: it is put off, tried again a bounded number of times with growing pauses,
    /// and is a dead letter with this reason if it is never settled.
    NotYet(Rejection),
    /// It can never be settled: a dead letter.
    Rejected(Rejection),
}

/// What became of an event that an operator gives up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Discard {
    /// What it asked for has an end now.
    Ended,
    /// It must be settled and not given up, for this reason.
    Refused(String),
}

/// What a service does with the messages of one queue.
pub trait Handler: Send + Sync + 'static {
    /// The messages it understands.
    type Message: Clone + Send + Sync;
    /// What a batch did, for whoever is told once it is committed.
    type Effect: Default + Send;
    /// The queue it consumes.
    const QUEUE: Queue;

    /// Reads an event's message: type, version, fields and ranges. No I/O.
    fn decode(&self, event: &Event<'_>) -> Result<Self::Message, Rejection>;

    /// Has the effect of a batch in the given transaction, says what it is, and names the events that were not settled. The business
    /// guard (the payment row, the order's status) must hold by itself, for an event may come under another id.
    fn settle(
        &self,
        tx: &mut PgTransaction<'_>,
        batch: &[Received<Self::Message>],
    ) -> impl Future<Output = Result<(Vec<Unsettled>, Self::Effect), Failure>> + Send;

    /// Ends what a valid event asked for, in the transaction that discards its dead letter; or refuses.
    fn discard(
        &self,
        tx: &mut PgTransaction<'_>,
        received: &Received<Self::Message>,
    ) -> impl Future<Output = Result<Discard, Failure>> + Send;

    /// Called after each commit with what it did: to ring doorbells, and to count.
    fn committed(&self, effect: Self::Effect);
}
