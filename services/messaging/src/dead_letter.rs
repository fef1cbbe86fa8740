//! Dead letters: messages that cannot be settled, kept whole as rows with their reason, and what operators do with them.

mod discard;
mod filter;
mod look;
mod redrive;
pub(crate) mod store;

pub(crate) use self::look::{LettersOfReason, oldest_by_reason};
pub use self::{
    discard::{DiscardError, Discarded, RefusedLetter, discard},
    filter::{DEFAULT_LETTERS, Filter, MAX_LETTERS},
    look::{Letter, ReasonCount, WholeLetter, count_by_reason, list, show},
    redrive::{
        CancelRequest, Cancelled, PLAN_SAMPLES, Plan, RedriveError, RedriveRequest, Redriven,
        cancel_redrive, plan_redrive, redrive,
    },
};

/// Text that Postgres can store: its texts cannot hold a NUL.
pub(crate) fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
