//! The watch over a service's dead letters and deferred events, as its writer may read them.

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::{Watch, repeat};
use crate::{
    dead_letter::{LettersOfReason, oldest_by_reason},
    deferred,
    failure::{BoxError, ReasonClass},
    metrics::{DeadLetterLabels, QueueLabels, QueueReadings},
    topology::Queue,
};

/// What stands for a reason that only a newer version knows.
const OTHER: &str = "other";

/// The watch over what one queue's consumer could not settle.
#[derive(Debug)]
pub struct RowWatch {
    queue: Queue,
    pool: PgPool,
    readings: QueueReadings,
}

impl RowWatch {
    /// A watch that reads through `pool`, as the writer.
    #[must_use]
    pub const fn new(queue: Queue, pool: PgPool, readings: QueueReadings) -> Self {
        Self {
            queue,
            pool,
            readings,
        }
    }

    /// Watches until stopped.
    pub async fn run(mut self, stop: CancellationToken) {
        repeat(&mut self, &stop).await;
    }

    /// Reads once.
    pub async fn read(&self) -> Result<(), BoxError> {
        let queue = self.queue.name;
        let mut connection = self.pool.acquire().await?;
        let letters = oldest_by_reason(&mut connection, queue).await?;
        let deferred = deferred::count(&mut connection, queue).await?;
        let letters = by_class(&letters);
        let label = |reason| DeadLetterLabels { queue, reason };
        let counts = letters
            .iter()
            .map(|(reason, of)| (label(reason), of.letters));
        self.readings.dead_letters.show(queue, counts);
        let ages = letters
            .iter()
            .map(|(reason, of)| (label(reason), of.oldest_age_seconds));
        self.readings.oldest_dead_letter_age.show(queue, ages);
        let deferred = [(QueueLabels { queue }, deferred)];
        self.readings.deferred.show(queue, deferred);
        Ok(())
    }
}

impl Watch for RowWatch {
    const WHAT: &'static str = "dead letters and deferred events";

    async fn read(&mut self) -> Result<(), BoxError> {
        Self::read(self).await
    }

    fn withdraw(&self) {
        self.readings.withdraw_rows(self.queue.name);
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
