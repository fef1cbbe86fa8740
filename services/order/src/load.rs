//! Load shedding: what may be under way at once, and the refusal of what would be too much, before any work is done.
//!
//! Per replica a cap bounds the requests between their arrival and their commit. For the whole database each replica
//! knows two things at no cost worth naming: the undecided orders, which its tail counts as it reads them, and the age of
//! the oldest unpublished event. While the outbox moves the count is what a customer waits for, so the count is limited.
//! While the broker is away nothing is decided and the count says nothing: the outbox takes orders until its oldest event
//! is too old.

mod monitor;
mod outbox_view;
mod undecided;

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::Instant,
};

use crate::{
    limits,
    metrics::{Metrics, ShedLabels},
};

pub use monitor::LoadMonitor;
pub(crate) use outbox_view::OutboxView;
pub(crate) use undecided::{Tally, Undecided};

/// How much may be under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadLimits {
    /// Requests of this replica between their arrival and their commit.
    pub uncommitted: usize,
    /// Undecided orders of the whole database, while the outbox moves.
    pub undecided: i64,
    /// The age of the oldest unpublished event.
    pub outbox_age: Duration,
}

impl Default for LoadLimits {
    fn default() -> Self {
        Self {
            uncommitted: limits::UNCOMMITTED_MAX,
            undecided: limits::UNDECIDED_MAX,
            outbox_age: limits::OUTBOX_AGE_MAX,
        }
    }
}

/// Which limit a request met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Overload {
    /// The replica's uncommitted requests.
    #[error("the replica has too many requests under way")]
    Uncommitted,
    /// The database's undecided orders.
    #[error("too many orders are undecided")]
    Undecided,
    /// The age of the oldest unpublished event.
    #[error("the broker has taken no events for too long")]
    OutboxAge,
}

impl Overload {
    /// All limits there are.
    pub const ALL: [Self; 3] = [Self::Uncommitted, Self::Undecided, Self::OutboxAge];

    /// The limit's stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uncommitted => "uncommitted",
            Self::Undecided => "undecided",
            Self::OutboxAge => "outbox_age",
        }
    }

    /// When trying again may be worth it: about as long as the limit takes to clear.
    #[must_use]
    pub const fn retry_after(self) -> Duration {
        match self {
            Self::Uncommitted => Duration::from_secs(1),
            Self::Undecided => Duration::from_secs(2),
            Self::OutboxAge => Duration::from_secs(5),
        }
    }
}

/// What is under way, shared by the handlers, the tail and the monitor.
#[derive(Debug)]
pub(crate) struct Load {
    limits: LoadLimits,
    uncommitted: Semaphore,
    undecided: Undecided,
    outbox: OutboxView,
    metrics: Metrics,
}

/// A request's place among the uncommitted ones, given up when dropped.
#[derive(Debug)]
#[must_use]
pub(crate) struct Admitted<'l> {
    _permit: SemaphorePermit<'l>,
}

impl Load {
    pub(crate) fn new(limits: LoadLimits, metrics: Metrics) -> Arc<Self> {
        Arc::new(Self {
            limits,
            uncommitted: Semaphore::new(limits.uncommitted),
            undecided: Undecided::default(),
            outbox: OutboxView::new(Instant::now()),
            metrics,
        })
    }

    /// Lets a request in, or says which limit it meets. Never waits.
    pub(crate) fn admit(&self) -> Result<Admitted<'_>, Overload> {
        let admitted = self.try_admit(Instant::now());
        if let Err(reason) = admitted {
            let labels = ShedLabels { reason };
            self.metrics.shed_requests.get_or_create(&labels).inc();
        }
        admitted
    }

    pub(crate) const fn undecided(&self) -> &Undecided {
        &self.undecided
    }

    pub(crate) const fn outbox(&self) -> &OutboxView {
        &self.outbox
    }

    pub(crate) const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    fn try_admit(&self, now: Instant) -> Result<Admitted<'_>, Overload> {
        let outbox = self.outbox.at(now);
        if outbox.age >= self.limits.outbox_age {
            return Err(Overload::OutboxAge);
        }
        if outbox.moves && self.undecided.count() >= self.limits.undecided {
            return Err(Overload::Undecided);
        }
        let permit = self.uncommitted.try_acquire();
        permit
            .map(|permit| Admitted { _permit: permit })
            .map_err(|_| Overload::Uncommitted)
    }
}

#[cfg(test)]
mod tests;
