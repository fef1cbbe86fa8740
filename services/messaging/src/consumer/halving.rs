//! Halving: how a batch that fails is taken apart until its culprits stand alone. Decides only; the caller settles.

use std::ops::Range;

use crate::failure::{BoxError, Failure, Rejection};

/// How many parts in a row may fail for passing causes before anything was settled: enough to walk down to one event of
/// a full batch and to its neighbours. Beyond it the cause is no event of the batch.
const MAX_BARREN_PARTS: u32 = 16;

/// What must be known before an event that fails alone, for a passing cause, is set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence {
    /// Others were settled meanwhile, so the cause is the event.
    OthersSettled,
    /// Nothing: the event is a row of ours already and holds up nobody, and its attempts are counted.
    None,
}

/// A batch being settled part by part.
#[derive(Debug)]
pub(super) struct Halving {
    /// Parts still to be tried, the next one last.
    parts: Vec<Range<usize>>,
    evidence: Evidence,
    barren_parts: u32,
    settled: bool,
    culprits: Vec<(usize, Cause)>,
}

/// Why an event that stands alone cannot be settled.
#[derive(Debug)]
pub(super) enum Cause {
    /// It never can.
    Permanent(Rejection),
    /// It alone could not for now.
    Passing(BoxError),
}

impl Halving {
    pub(super) fn new(events: usize, evidence: Evidence) -> Self {
        let whole = 0..events;
        Self {
            parts: (events > 0).then_some(whole).into_iter().collect(),
            evidence,
            barren_parts: 0,
            settled: false,
            culprits: Vec::new(),
        }
    }

    /// The part to be tried next; none if all were.
    pub(super) fn next_part(&mut self) -> Option<Range<usize>> {
        self.parts.pop()
    }

    /// A part was settled; `fresh` of its events had their effect now.
    pub(super) fn settled(&mut self, fresh: u64) {
        self.settled |= fresh > 0;
    }

    /// A part failed: it is halved, or its only event is a culprit. The error is about the moment and not about the
    /// batch: the whole of it is to be tried again later.
    pub(super) fn failed(&mut self, part: Range<usize>, failure: Failure) -> Result<(), Failure> {
        let cause = match failure {
            Failure::Permanent(rejection) => Cause::Permanent(rejection),
            Failure::Transient(cause) => {
                self.barren_parts += 1;
                if !self.settled && self.barren_parts > MAX_BARREN_PARTS {
                    return Err(Failure::Transient(cause));
                }
                Cause::Passing(cause)
            }
            away @ Failure::Away(_) => return Err(away),
        };
        if part.len() == 1 {
            self.culprits.push((part.start, cause));
        } else {
            let middle = part.start + part.len() / 2;
            self.parts.push(middle..part.end);
            self.parts.push(part.start..middle);
        }
        Ok(())
    }

    /// The culprits, by their place in the batch. The error says that what failed may as well be the moment's fault.
    pub(super) fn finish(mut self) -> Result<Vec<(usize, Cause)>, Failure> {
        let proven = self.settled || self.evidence == Evidence::None;
        let unproven = self
            .culprits
            .iter()
            .position(|(_, cause)| !proven && matches!(cause, Cause::Passing(_)));
        match unproven.map(|place| self.culprits.swap_remove(place).1) {
            Some(Cause::Passing(cause)) => Err(Failure::Transient(cause)),
            _ => Ok(self.culprits),
        }
    }
}

#[cfg(test)]
mod tests;
