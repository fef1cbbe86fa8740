//! How far a lane is published: where its next owner goes on.
//!
//! A position is a snapshot, and between two snapshots there is no third. A difference of a million rows, after an outage,
//! would move the position only once, at its end, and a crash before that would repeat all that was sent of it. So a lane
//! remembers a [`Part`] too: the snapshot at which the difference ends, the same for all its pages, and the id up to which
//! every row of it is confirmed. Pages follow the ids, so whoever takes the lane over reads on behind that id, to the very
//! same end. What it repeats is what was published since the last write-back, however large the difference is.
//!
//! A snapshot may outlive the connection it was taken on once it is written down: the transaction that did so was numbered
//! after it, so not even after a crash are numbers that it knows given again.
//!
//! A part counts only beside the position it was written with. Who moves a position and knows of no parts, which is a relay
//! of an older version or a person, thereby drops the part: read to an end that the position has passed, the lane would go
//! back.

use super::Position;
use crate::snapshot::Snapshot;

/// How far a lane is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Everything up to here is confirmed or parked.
    pub position: Position,
    /// And of what follows, this.
    pub part: Option<Part>,
}

/// A part of a difference that is read in pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where the difference ends.
    pub until: Snapshot,
    /// Every row of it up to this id is confirmed or parked.
    pub id: i64,
}

impl From<Position> for Settled {
    fn from(position: Position) -> Self {
        Self {
            position,
            part: None,
        }
    }
}
