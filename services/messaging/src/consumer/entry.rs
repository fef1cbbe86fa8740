//! One entry of a micro-batch: an event, or what could not be read as one, with all it needs to become a row.

use std::borrow::Cow;

use contracts::TraceContext;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Handler, Received,
    envelope::{self, Instants, Readable, Unreadable},
    origin::Origin,
};
use crate::failure::Rejection;

/// One entry of a micro-batch.
#[derive(Debug, Clone)]
pub(crate) struct Entry<'a, T> {
    /// Which event it is; none where that cannot be told.
    pub(crate) identity: Option<Identity>,
    /// What is stored if it is not settled.
    pub(crate) parcel: Parcel<'a>,
    /// The row it was read from; none if the broker delivered it.
    pub(crate) row: Option<Row>,
    /// What is to be done with it.
    pub(crate) content: Content<T>,
}

/// Which event it is, and a digest of what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) id: Uuid,
    pub(crate) digest: [u8; 32],
}

/// The bytes of an entry and where they came from.
#[derive(Debug, Clone)]
pub(crate) struct Parcel<'a> {
    pub(crate) kind: Option<Cow<'a, str>>,
    pub(crate) trace: Option<TraceContext>,
    pub(crate) origin: Origin<'a>,
    pub(crate) body: &'a [u8],
    /// Whether the body is a whole message and not an event.
    pub(crate) whole_message: bool,
}

/// A row of ours that an entry was read from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) id: i64,
    /// How often it was tried.
    pub(crate) attempts: i32,
    /// Whether the event's inbox row was written with this row, and so does not say that the event was settled.
    pub(crate) entered: bool,
}

/// What is to be done with an entry.
#[derive(Debug, Clone)]
pub(crate) enum Content<T> {
    /// The handler settles it.
    Message(Received<T>),
    /// It waits in a deferred row.
    Later(Rejection),
    /// It is a dead letter.
    Dead(Rejection),
}

impl<'a, T: Clone> Entry<'a, T> {
    /// The entries of a message.
    pub(crate) fn of_message<H: Handler<Message = T>>(
        handler: &H,
        body: &'a [u8],
        origin: Origin<'a>,
        instants: Instants,
    ) -> Vec<Self> {
        match envelope::open(body, origin.content_type(), instants) {
            Ok(opened) => opened
                .map(|opened| Self::of(handler, opened, origin, instants.now))
                .collect(),
            Err(rejection) => vec![Self::of_unopened(body, origin, rejection)],
        }
    }

    /// The entry of a whole message that is not opened.
    pub(crate) fn of_unopened(body: &'a [u8], origin: Origin<'a>, rejection: Rejection) -> Self {
        Self {
            identity: None,
            parcel: Parcel {
                kind: None,
                trace: None,
                origin,
                body,
                whole_message: true,
            },
            row: None,
            content: Content::Dead(rejection),
        }
    }

    /// The entry of a single event in a row of ours.
    pub(crate) fn of_event<H: Handler<Message = T>>(
        handler: &H,
        body: &'a [u8],
        origin: Origin<'a>,
        instants: Instants,
    ) -> Self {
        let opened = envelope::read_one(body, instants);
        Self::of(handler, opened, origin, instants.now)
    }

    /// The same entry, with something else to be done.
    pub(crate) fn with(&self, content: Content<T>) -> Self {
        Self {
            content,
            ..self.clone()
        }
    }

    fn of<H: Handler<Message = T>>(
        handler: &H,
        opened: Result<Readable<'a>, Box<Unreadable<'a>>>,
        origin: Origin<'a>,
        received_at: OffsetDateTime,
    ) -> Self {
        match opened {
            Ok(readable) => Self::of_readable(handler, readable, origin, received_at),
            Err(unreadable) => Self {
                identity: unreadable.id.map(|id| Identity {
                    id,
                    digest: Sha256::digest(unreadable.body).into(),
                }),
                parcel: Parcel {
                    kind: unreadable.kind,
                    trace: unreadable.trace,
                    origin,
                    body: unreadable.body,
                    whole_message: false,
                },
                row: None,
                content: Content::Dead(unreadable.rejection),
            },
        }
    }

    fn of_readable<H: Handler<Message = T>>(
        handler: &H,
        Readable { event, body }: Readable<'a>,
        origin: Origin<'a>,
        received_at: OffsetDateTime,
    ) -> Self {
        let content = match handler.decode(&event) {
            Ok(message) => Content::Message(Received {
                event_id: event.id,
                trace: event.trace,
                received_at,
                message,
            }),
            Err(rejection) => Content::Dead(rejection),
        };
        Self {
            identity: Some(Identity {
                id: event.id.as_uuid(),
                digest: event.digest(),
            }),
            parcel: Parcel {
                kind: Some(event.kind),
                trace: Some(event.trace),
                origin,
                body,
                whole_message: false,
            },
            row: None,
            content,
        }
    }
}
