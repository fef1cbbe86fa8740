//! The watch over a service's dead letters and deferred events, as its writer may read them; it also tells of the consumer.

use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Watch, repeat};
use crate::{
    consumers,
    dead_letter::{LettersOfReason, oldest_by_reason},
    deferred,
    failure::{BoxError, ReasonClass},
    metrics::{DeadLetterLabels, Metrics, QueueLabels},
    topology::Queue,
};

/// How long a consumer that stops may take to say so.
const LEAVING_TIME_MAX: Duration = Duration::from_secs(2);

/// What stands for a reason that only a newer version knows.
const OTHER: &str = "other";

/// The watch over what one queue's consumer could not settle.
#[derive(Debug)]
pub struct RowWatch {
    queue: Queue,
    pool: PgPool,
    metrics: Metrics,
    /// Under which it tells of this process' consumer.
    name: String,
}

impl RowWatch {
    /// A watch that reads through `pool`, as the writer.
    #[must_use]
    pub fn new(queue: Queue, pool: PgPool, metrics: Metrics) -> Self {
        Self {
            name: format!("{}-{}", queue.name, Uuid::new_v4()),
            queue,
            pool,
            metrics,
        }
    }

    /// Watches until stopped.
    pub async fn run(mut self, stop: CancellationToken) {
        repeat(&mut self, &stop).await;
        let leaving = async {
            let mut connection = self.pool.acquire().await?;
            consumers::leave(&mut connection, &self.name).await
        };
        let left = tokio::time::timeout(LEAVING_TIME_MAX, leaving).await;
        if let Ok(Err(error)) = left {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "the consumer could not take itself off the list"
            );
        }
    }

    /// Reads once.
    pub async fn read(&self) -> Result<(), BoxError> {
        let queue = self.queue.name;
        let mut connection = self.pool.acquire().await?;
        let letters = oldest_by_reason(&mut connection, queue).await?;
        let deferred = deferred::count(&mut connection, queue).await?;
        consumers::tell(&mut connection, &self.name, self.queue, &self.metrics.inbox).await?;
        let letters = by_class(&letters);
        let readings = &self.metrics.queues;
        let label = |reason| DeadLetterLabels { queue, reason };
        let counts = letters
            .iter()
            .map(|(reason, of)| (label(reason), of.letters));
        readings.dead_letters.show(queue, counts);
        let ages = letters
            .iter()
            .map(|(reason, of)| (label(reason), of.oldest_age_seconds));
        readings.oldest_dead_letter_age.show(queue, ages);
        let deferred = [(QueueLabels { queue }, deferred)];
        readings.deferred.show(queue, deferred);
        Ok(())
    }
}

impl Watch for RowWatch {
    const WHAT: &'static str = "dead letters and deferred events";

    async fn read(&mut self) -> Result<(), BoxError> {
        Self::read(self).await
    }

    fn withdraw(&self) {
        self.metrics.queues.withdraw_rows(self.queue.name);
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Letters {
    letters: i64,
    oldest_age_seconds: f64,
}

/// Every class with its letters, those without any too: nothing to count is a reading, nothing counted is none.
fn by_class(found: &[LettersOfReason]) -> Vec<(&'static str, Letters)> {
    let classes = ReasonClass::ALL.iter().map(|class| class.as_str());
    let mut letters: Vec<_> = classes
        .chain([OTHER])
        .map(|class| (class, Letters::default()))
        .collect();
    for found in found {
        let class = ReasonClass::parse(&found.reason_class).map_or(OTHER, ReasonClass::as_str);
        for (_, of) in letters.iter_mut().filter(|(name, _)| *name == class) {
            of.letters += found.letters;
            of.oldest_age_seconds = of.oldest_age_seconds.max(found.oldest_age_seconds);
        }
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_of_a_newer_version_are_counted_together_and_none_is_left_out() {
        let of = |reason: &str, letters, oldest_age_seconds| LettersOfReason {
            reason_class: reason.to_owned(),
            letters,
            oldest_age_seconds,
        };
        let found = [
            of("conflict", 2, 5.0),
            of("new", 1, 7.0),
            of("newer", 3, 6.0),
        ];
        let shown = by_class(&found);
        assert_eq!(shown.len(), ReasonClass::ALL.len() + 1);
        for (name, letters) in shown {
            let expected = match name {
                "conflict" => (2, 5.0),
                OTHER => (4, 7.0),
                _ => (0, 0.0),
            };
            assert_eq!(
                (letters.letters, letters.oldest_age_seconds),
                expected,
                "{name}"
            );
        }
    }
}
