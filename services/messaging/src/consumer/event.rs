//! An event as it arrived: its attributes, and its data still to be decoded. It borrows the bytes it was read from.

use std::borrow::Cow;

use contracts::{EventId, Message, TraceContext};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::failure::{ReasonClass, Rejection};

/// An event as it arrived; its data is still to be decoded.
#[derive(Debug, Clone)]
pub struct Event<'a> {
    /// The event's identity.
    pub id: EventId,
    /// Its type and version.
    pub kind: Cow<'a, str>,
    /// What it is about: the key, as text.
    pub subject: Cow<'a, str>,
    /// The trace it belongs to; a new one if it came without.
    pub trace: TraceContext,
    /// The message, in JSON.
    pub data: &'a RawValue,
}

impl Event<'_> {
    /// Reads the data as a message of this type, and holds its key against the event's subject.
    pub fn decode<M: Message>(&self) -> Result<M, Rejection> {
        let message: M = serde_json::from_str(self.data.get()).map_err(|error| {
            Rejection::new(
                ReasonClass::Invalid,
                format!("the data is no {}: {error}", M::TYPE),
            )
        })?;
        if self.subject == message.key().to_string() {
            Ok(message)
        } else {
            Err(Rejection::new(
                ReasonClass::Invalid,
                "the subject is not what the data is about",
            ))
        }
    }

    /// What makes the event the same when it arrives again.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for part in [&*self.kind, &*self.subject, self.data.get()] {
            let length = u64::try_from(part.len()).expect("a length fits");
            hash.update(length.to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}
