//! The transactional outbox: events are appended in the transaction that causes them, and read by relays.
//!
//! Readers take the difference of two snapshots, as `PgQ` (Skype, 2007) does: a row is new if its transaction was not
//! visible in the previous snapshot. Late commits arrive as soon as they are visible, nothing is seen twice, and no row
//! is locked or updated. Order within a key holds because every writer locks the aggregate before it appends.

mod parked;
mod read;
mod settled;
mod status;
mod unpublished;

use contracts::{CloudEvent, EventId, Message, TraceContext};
use sqlx::PgTransaction;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    lane::Lane,
    span::{self, Recorded},
};

pub use parked::{Parking, park, parked_keys};
pub(crate) use read::parse_snapshot;
pub use read::{
    Difference, Mark, OutboxRow, Position, Span, adopt, forget_duplicates, forget_idempotency_keys,
    forget_redrive_ends, maintain_partitions, mark, partitions_ahead, read_page, read_since,
};
pub use settled::{Part, Settled};
pub use status::{LaneStatus, PENDING_ROWS_MAX, RelayStatus, Status, status};
pub use unpublished::{Unpublished, unpublished};

/// The largest event, in bytes of its JSON: a batch must stay below the broker's frame of 128 KiB.
pub const MAX_EVENT_BYTES: usize = 64 * 1024;

/// How appending can fail.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// The event has no JSON form.
    #[error("the event could not be serialised")]
    Serialize(#[source] serde_json::Error),
    /// The event would not fit into a message.
    #[error("the event has {bytes} bytes, more than {MAX_EVENT_BYTES}")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The database refused.
    #[error("the event could not be appended")]
    Database(#[from] sqlx::Error),
}

/// Appends an event to the outbox in the caller's transaction. The caller has locked what the event is about before.
pub async fn append<M: Message>(
    tx: &mut PgTransaction<'_>,
    message: &M,
    trace: &TraceContext,
) -> Result<EventId, OutboxError> {
    let mut batch = Batch::default();
    let event_id = batch.add(message, trace)?;
    batch.append(tx).await?;
    Ok(event_id)
}

/// Appends an event under an id that the caller has given it; see [`append`].
pub async fn append_as<M: Message>(
    tx: &mut PgTransaction<'_>,
    event_id: EventId,
    message: &M,
    trace: &TraceContext,
) -> Result<(), OutboxError> {
    let mut batch = Batch::default();
    batch.add_as(event_id, message, trace)?;
    batch.append(tx).await
}

/// Appends several events in their order, in one statement; gives their ids in the same order.
pub async fn append_all<M: Message>(
    tx: &mut PgTransaction<'_>,
    messages: &[(M, TraceContext)],
) -> Result<Vec<EventId>, OutboxError> {
    let mut batch = Batch::default();
    for (message, trace) in messages {
        batch.add(message, trace)?;
    }
    batch.append(tx).await?;
    Ok(batch.event_ids.into_iter().map(EventId::from).collect())
}

/// Events of any types that are appended by one statement: their columns, as `unnest` takes them.
#[derive(Debug, Default)]
pub struct Batch {
    lanes: Vec<i16>,
    keys: Vec<Uuid>,
    event_ids: Vec<Uuid>,
    types: Vec<String>,
    traceparents: Vec<String>,
    bodies: Vec<Vec<u8>>,
    /// The spans of those whose traces are recorded, by what the events are about, until they are appended.
    creations: Vec<(Uuid, Recorded)>,
}

impl Batch {
    /// Adds an event behind the others.
    pub fn add<M: Message>(
        &mut self,
        message: &M,
        trace: &TraceContext,
    ) -> Result<EventId, OutboxError> {
        let event_id = EventId::new();
        self.add_as(event_id, message, trace)?;
        Ok(event_id)
    }

    /// Adds an event under an id that the caller has given it, because it keeps the id beside what the event reports.
    pub fn add_as<M: Message>(
        &mut self,
        event_id: EventId,
        message: &M,
        trace: &TraceContext,
    ) -> Result<(), OutboxError> {
        let mut event = CloudEvent::new(message, trace, OffsetDateTime::now_utc());
        event.id = event_id;
        let creation = span::create::<M>(event.id, trace);
        let trace = creation
            .as_ref()
            .map_or(trace, Recorded::context)
            .to_string();
        event.traceparent = Some(trace.clone());
        let body = serde_json::to_vec(&event).map_err(OutboxError::Serialize)?;
        if body.len() > MAX_EVENT_BYTES {
            return Err(OutboxError::TooLarge { bytes: body.len() });
        }
        self.lanes.push(Lane::of(message.key()).number());
        self.keys.push(message.key());
        self.event_ids.push(event.id.as_uuid());
        self.types.push(M::TYPE.to_owned());
        self.traceparents.push(trace);
        self.creations
            .extend(creation.map(|creation| (message.key(), creation)));
        self.bodies.push(body);
        Ok(())
    }

    /// Appends them in their order, in the caller's transaction; see [`append`].
    pub async fn append(&mut self, tx: &mut PgTransaction<'_>) -> Result<(), OutboxError> {
        if self.lanes.is_empty() {
            return Ok(());
        }
        let appended = sqlx::query!(
            "insert into messaging.outbox (lane, key, event_id, type, traceparent, body)
             select lane, key, event_id, type, traceparent, body
             from unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bytea[])
                 with ordinality as event (lane, key, event_id, type, traceparent, body, position)
             order by position",
            &self.lanes,
            &self.keys,
            &self.event_ids,
            &self.types,
            &self.traceparents,
            &self.bodies,
        )
        .execute(&mut **tx)
        .await;
        self.appended(&appended);
        appended?;
        Ok(())
    }

    /// Their columns, for a statement of the caller's that appends them together with what caused them. It has to insert
    /// them in their order, and [`Batch::appended`] has to learn what became of it.
    #[must_use]
    pub fn columns(&self) -> Columns<'_> {
        Columns {
            lanes: &self.lanes,
            keys: &self.keys,
            event_ids: &self.event_ids,
            types: &self.types,
            traceparents: &self.traceparents,
            bodies: &self.bodies,
        }
    }

    /// Learns what became of the statement that was to append them.
    pub fn appended<T>(&mut self, result: &Result<T, sqlx::Error>) {
        for (_, creation) in self.creations.drain(..) {
            creation.end(result, "database");
        }
    }

    /// Learns that the statement did not append some of them, because what was to cause them did not happen.
    pub fn left_out(&mut self, is_left_out: impl Fn(Uuid) -> bool) {
        for (_, mut creation) in self.creations.extract_if(.., |(key, _)| is_left_out(*key)) {
            creation.says("gozon.outcome", "not_appended");
            creation.done();
        }
    }
}

/// The columns of events, as `unnest` takes them.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'b> {
    /// The lane of each key.
    pub lanes: &'b [i16],
    /// What the events are about.
    pub keys: &'b [Uuid],
    /// Their ids.
    pub event_ids: &'b [Uuid],
    /// Their types.
    pub types: &'b [String],
    /// The trace context each is created in.
    pub traceparents: &'b [String],
    /// The events in JSON.
    pub bodies: &'b [Vec<u8>],
}
