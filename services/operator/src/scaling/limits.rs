//! Between which numbers, and how willingly, relays are scaled.

use std::time::Duration;

use crate::resource::OutboxRelaySpec;

/// What a resource asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The fewest relays, at least 1.
    pub min: u32,
    /// The most relays, never below `min`.
    pub max: u32,
    /// How long the oldest event may wait.
    pub target_age: Duration,
    /// How many waiting events are worth a relay, at least 1.
    pub backlog_per_replica: u64,
    /// For how long fewer relays must have been enough.
    pub stabilisation: Duration,
}

impl From<&OutboxRelaySpec> for Limits {
    /// The API server has refused what makes no sense; what it let through before a rule existed is read as its nearest
    /// sense.
    fn from(spec: &OutboxRelaySpec) -> Self {
        let min = positive(spec.min_replicas);
        Self {
            min,
            max: positive(spec.max_replicas).max(min),
            target_age: Duration::from_secs(positive(spec.target_age_seconds).into()),
            backlog_per_replica: positive(spec.backlog_per_replica).into(),
            stabilisation: Duration::from_secs(
                positive(spec.scale_down_stabilisation_seconds).into(),
            ),
        }
    }
}

impl Limits {
    /// Within the limits, and no more than there are lanes.
    pub(super) fn clamp(&self, replicas: u32, lanes: u32) -> u32 {
        let max = self.max.min(lanes.max(1));
        replicas.clamp(self.min.min(max), max)
    }
}

fn positive(number: i32) -> u32 {
    number.max(1).unsigned_abs()
}
