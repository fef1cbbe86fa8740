//! What is seen before a decision.

use std::time::Duration;

use super::Recent;
use crate::resource::LANES;

/// Everything a decision depends on but the limits and the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// How many relays there are to be, as the Deployment's scale says.
    pub replicas: u32,
    /// What the service says about its outbox.
    pub source: Source,
    /// What earlier decisions left behind.
    pub recent: Recent,
}

/// What the service says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// It answered.
    Read(Outbox),
    /// It did not, or could not read its database.
    Away {
        /// Why, in words.
        why: String,
    },
}

/// An outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outbox {
    /// How long the oldest event waits; zero when none does.
    pub oldest_age: Duration,
    /// How many events wait.
    pub backlog: u64,
    /// How many relays show that they live.
    pub live_relays: u32,
    /// How many lanes there are.
    pub lanes: u32,
    /// What the broker does with what is published.
    pub broker: Broker,
    /// How many events were published per second lately, where it is known.
    pub published_per_second: Option<u64>,
}

/// What the broker does with what is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broker {
    /// It takes it, or nobody knows better.
    Accepting,
    /// It has blocked the relays' connections.
    Blocked,
    /// The relays have no connection to it.
    Unreachable,
}

impl Observed {
    /// How many lanes the outbox has, as far as it is known.
    pub(super) fn lanes(&self) -> u32 {
        match self.source {
            Source::Read(outbox) => outbox.lanes,
            Source::Away { .. } => LANES.unsigned_abs(),
        }
    }
}
