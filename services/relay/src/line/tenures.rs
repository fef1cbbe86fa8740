//! Tenures: since when a lane is owned without a break, so that what is pending of an earlier time is known for what it is.
//!
//! A lane's epoch grows also with each new connection of its owner, who then sends again what is pending. But a lane that
//! was lost and comes back is read again from where it was written back, so what is pending of it from before is not to go
//! out under the new epoch.

use std::collections::HashMap;

use messaging::lease::Lease;

use crate::planner::Pending;

/// The lanes owned.
#[derive(Debug, Default)]
pub(super) struct Tenures(HashMap<i16, Tenure>);

#[derive(Debug, Clone, Copy)]
struct Tenure {
    /// Its first epoch.
    since: i64,
    epoch: i64,
}

impl Tenures {
    /// From now on these lanes are owned. Those that were not until now begin a new tenure.
    pub(super) fn continue_with(&mut self, leases: &[Lease]) {
        let before = std::mem::take(&mut self.0);
        let now = leases.iter().map(|&Lease { lane, epoch }| {
            let since = before.get(&lane).map_or(epoch, |tenure| tenure.since);
            (lane, Tenure { since, epoch })
        });
        self.0 = now.collect();
    }

    /// The epoch under which a lane is owned.
    pub(super) fn epoch_of(&self, lane: i16) -> i64 {
        let tenure = self.0.get(&lane);
        tenure.map(|tenure| tenure.epoch).unwrap_or_default()
    }

    /// Whether a row was read in the present tenure of its lane.
    pub(super) fn include(&self, pending: &Pending) -> bool {
        let tenure = self.0.get(&pending.row.lane.number());
        tenure.is_some_and(|tenure| tenure.since <= pending.epoch)
    }
}
