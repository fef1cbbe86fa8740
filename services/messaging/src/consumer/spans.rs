//! The `process` spans of one attempt at a lot, for the events whose traces are recorded.

use contracts::{EventId, TraceContext};

use super::{Entry, settle::Fate};
use crate::{
    span::{self, Attempt, Recorded},
    topology::Queue,
};

/// Spans by the place of their entry; empty where no trace is recorded, which is nearly always.
#[derive(Debug, Default)]
pub(super) struct Spans(Vec<(usize, Recorded)>);

impl Spans {
    /// Begins those of the entries that an attempt holds.
    pub(super) fn begin<'e, 'a: 'e, T: 'e>(
        queue: Queue,
        attempt: Attempt,
        held: impl Iterator<Item = &'e Entry<'a, T>>,
    ) -> Self {
        let places = held.enumerate();
        Self(
            places
                .filter_map(|(place, entry)| Some((place, of(queue, attempt, entry)?)))
                .collect(),
        )
    }

    /// Where the span of an entry stands.
    pub(super) fn context(&self, place: usize) -> Option<&TraceContext> {
        let found = self.0.binary_search_by_key(&place, |(place, _)| *place);
        found.ok().map(|index| self.0[index].1.context())
    }

    /// The attempt is committed: each says what became of its event.
    pub(super) fn end(&mut self, fates: &[Fate<'_>]) {
        for (place, mut span) in self.0.drain(..) {
            let (outcome, failure) = match &fates[place] {
                Fate::Settled => ("fresh", None),
                Fate::Duplicate => ("duplicate", None),
                Fate::Later(_) => ("deferred", None),
                Fate::Dead(rejection) => ("dead_letter", Some(rejection.class.as_str())),
            };
            span.says("gozon.outcome", outcome);
            match failure {
                None => span.done(),
                Some(class) => span.fail(class),
            }
        }
    }

    /// The attempt was rolled back.
    pub(super) fn fail(&mut self, error_type: &'static str) {
        for (_, span) in self.0.drain(..) {
            span.fail(error_type);
        }
    }
}

fn of<T>(queue: Queue, attempt: Attempt, entry: &Entry<'_, T>) -> Option<Recorded> {
    let creation = entry.parcel.trace?;
    let id = EventId::from(entry.identity?.id);
    let attempt = match attempt {
        Attempt::First => entry.parcel.origin.attempt(),
        Attempt::Again => Attempt::Again,
    };
    span::process(queue, entry.parcel.kind.as_deref()?, id, &creation, attempt)
}
