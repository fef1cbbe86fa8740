//! What is sent over the event stream, as JSON text frames.

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::view::OrderView;

/// A frame of the event stream.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventFrame)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Frame {
    /// The first frame.
    Snapshot {
        /// Give it at the next connection, to resume there. Keep the newest.
        cursor: String,
        /// Whether the given cursor was resumed: then only orders that changed since are in this frame, otherwise the
        /// newest orders, and what the client knows is to be forgotten.
        resumed: bool,
        /// Orders in their current state, newest first.
        orders: Vec<OrderView>,
    },
    /// Something changed.
    Changes {
        /// As in the first frame.
        cursor: String,
        /// Orders in their new state, each once, in the order of their first changes; drop those whose version is known.
        orders: Vec<OrderView>,
    },
    /// Nothing changed, and the stream lives: a browser's page sees neither pings nor comments. One comes every 20 seconds;
    /// who hears nothing for twice as long connects again.
    Beat,
}

impl Frame {
    /// The frame as text.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("orders are plain text, numbers and instants")
    }

    /// Where a client that has this frame resumes; none if that is where it did before.
    pub(crate) fn cursor(&self) -> Option<&str> {
        match self {
            Self::Snapshot { cursor, .. } | Self::Changes { cursor, .. } => Some(cursor),
            Self::Beat => None,
        }
    }
}
