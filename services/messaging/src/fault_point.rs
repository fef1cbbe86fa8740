//! Fault points: named places at which a process can be told to kill itself, so that tests die exactly there.
//!
//! They exist in development builds only; in a release [`pass`] is empty and nothing can arm it.

/// The places, in the order in which an event passes them. Each is a line between two steps of which the first is done
/// and the second is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultPoint {
    /// A relay is about to read its outbox.
    BeforeRead,
    /// It has rows in hand.
    AfterRead,
    /// It is about to send a message.
    BeforePublish,
    /// A message is in the hands of the connection; the broker may never see it.
    AfterPublish,
    /// The broker has answered for it, having stored or refused it, and nobody has taken note of the answer.
    BeforeConfirm,
    /// The relay has taken note of a confirm, in its memory and nowhere else.
    AfterConfirm,
    /// What was confirmed is in the publish log, and the lanes do not say so yet.
    BeforeWriteBack,
    /// The lanes say so.
    AfterWriteBack,
    /// A consumer is about to wait for deliveries.
    BeforeDelivery,
    /// It has deliveries in hand and no transaction.
    AfterDelivery,
    /// Everything is written and nothing is committed.
    BeforeCommit,
    /// It is committed and nothing else happened yet.
    AfterCommit,
    /// It is about to acknowledge.
    BeforeAck,
    /// It has acknowledged.
    AfterAck,
}

impl FaultPoint {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::BeforeRead,
        Self::AfterRead,
        Self::BeforePublish,
        Self::AfterPublish,
        Self::BeforeConfirm,
        Self::AfterConfirm,
        Self::BeforeWriteBack,
        Self::AfterWriteBack,
        Self::BeforeDelivery,
        Self::AfterDelivery,
        Self::BeforeCommit,
        Self::AfterCommit,
        Self::BeforeAck,
        Self::AfterAck,
    ];

    /// The point's stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BeforeRead => "before-read",
            Self::AfterRead => "after-read",
            Self::BeforePublish => "before-publish",
            Self::AfterPublish => "after-publish",
            Self::BeforeConfirm => "before-confirm",
            Self::AfterConfirm => "after-confirm",
            Self::BeforeWriteBack => "before-write-back",
            Self::AfterWriteBack => "after-write-back",
            Self::BeforeDelivery => "before-delivery",
            Self::AfterDelivery => "after-delivery",
            Self::BeforeCommit => "before-commit",
            Self::AfterCommit => "after-commit",
            Self::BeforeAck => "before-ack",
            Self::AfterAck => "after-ack",
        }
    }
}

/// What is no plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fault is planned as NAME:COUNT, for example before-commit:3")]
pub struct MalformedPlan;

#[cfg(debug_assertions)]
mod armed {
    use std::sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    };

    use super::{FaultPoint, MalformedPlan};

    static PLAN: OnceLock<(FaultPoint, AtomicU32)> = OnceLock::new();

    /// Plans the end of this process: `before-commit:3` is the third time that this point is passed.
    pub fn arm(plan: &str) -> Result<(), MalformedPlan> {
        let (name, count) = plan.split_once(':').ok_or(MalformedPlan)?;
        let point = FaultPoint::ALL
            .into_iter()
            .find(|point| point.as_str() == name);
        let count: u32 = count.parse().map_err(|_| MalformedPlan)?;
        let plan = (point.ok_or(MalformedPlan)?, AtomicU32::new(count));
        PLAN.set(plan).map_err(|_| MalformedPlan)
    }

    /// Passes a point: nothing happens, unless it was planned that the process ends here. Then it ends at once: no
    /// destructor runs, nothing is flushed, and the system closes its connections, as with SIGKILL.
    pub fn pass(point: FaultPoint) {
        if let Some((planned, left)) = PLAN.get()
            && *planned == point
            && left.fetch_sub(1, Ordering::Relaxed) == 1
        {
            std::process::abort();
        }
    }
}

#[cfg(debug_assertions)]
pub use armed::{arm, pass};

/// Passes a point; in a release nothing ever happens there.
#[cfg(not(debug_assertions))]
pub const fn pass(_point: FaultPoint) {}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::*;

    #[test]
    fn a_plan_that_cannot_be_carried_out_is_refused() {
        for plan in [
            "",
            "before-commit",
            "before-lunch:1",
            "before-commit:",
            "before-commit:x",
        ] {
            assert_eq!(arm(plan), Err(MalformedPlan), "{plan:?}");
        }
    }
}
