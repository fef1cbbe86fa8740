//! Cursors: how far groups of lanes are read and confirmed, and how a group that was taken over catches up with the rest.

use std::collections::VecDeque;

use messaging::{
    lease::{Acquired, Lease},
    outbox::{Part, Position, Settled, Span},
    snapshot::Snapshot,
};

/// Lanes that share a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub leases: Vec<Lease>,
    /// Everything up to here is read, but not necessarily confirmed.
    pub read_to: Position,
    /// A difference being read in pages.
    pub paging: Option<Paging>,
    /// Reads whose rows are not all confirmed, oldest first, with those behind them.
    reads: VecDeque<Read>,
    /// What is confirmed. None while lanes that were at different positions share what is under way: what each had written
    /// back stands until then.
    pub settled: Option<Settled>,
    /// What was last written back.
    written: Option<Settled>,
    /// Whether anything was confirmed since it was written back.
    dirty: bool,
}

/// How far a difference is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paging {
    /// The snapshot the difference ends at: it becomes the position after the last page, not before.
    pub until: Snapshot,
    /// All of it up to this id is read.
    pub after: i64,
    /// Nothing of it lies beyond this id; none before the first look.
    pub last: Option<i64>,
}

/// A page that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Read {
    number: u64,
    unconfirmed: usize,
    had_rows: bool,
    /// What is settled when this read and all before it are; none if no lane's position tells.
    settles: Option<Settled>,
}

impl Cursor {
    pub(crate) fn lanes(&self) -> Vec<i16> {
        self.leases.iter().map(|lease| lease.lane).collect()
    }

    /// Whether there is something to be written back, and for the sake of published rows: while lanes join, rows are
    /// confirmed, and yet there is nothing.
    pub(crate) fn has_news(&self) -> bool {
        self.dirty && self.has_moved()
    }

    /// Whether there is something to be written back, if only a position further along an outbox without rows.
    pub(crate) fn has_moved(&self) -> bool {
        self.settled.is_some() && self.settled != self.written
    }

    /// Takes what is settled as written back.
    pub(crate) fn written_back(&mut self) {
        self.written.clone_from(&self.settled);
        self.dirty = false;
    }

    /// Nothing of it is unconfirmed, be it in the middle of a difference.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.reads.is_empty()
    }

    fn drain(&mut self) {
        while self.reads.front().is_some_and(|read| read.unconfirmed == 0) {
            let Some(read) = self.reads.pop_front() else {
                return;
            };
            self.dirty |= read.had_rows;
            if read.settles.is_some() {
                self.settled = read.settles;
            }
        }
    }
}

/// All the lanes a relay owns. The first cursor leads: it reads whatever is new; the others catch up to where it is and
/// become part of it.
#[derive(Debug, Default)]
pub(crate) struct Cursors(pub Vec<Cursor>);

impl Cursors {
    pub(crate) fn lanes_owned(&self) -> usize {
        self.0.iter().map(|cursor| cursor.leases.len()).sum()
    }

    pub(crate) fn leases(&self) -> Vec<Lease> {
        self.0
            .iter()
            .flat_map(|cursor| cursor.leases.iter().copied())
            .collect()
    }

    pub(crate) fn lanes(&self) -> Vec<i16> {
        self.0.iter().flat_map(Cursor::lanes).collect()
    }

    /// Takes on the epochs of lanes leased again; the others are lost.
    pub(crate) fn take_again(&mut self, held: &[Lease]) {
        for cursor in &mut self.0 {
            cursor.leases.retain_mut(|lease| {
                let again = held.iter().find(|again| again.lane == lease.lane);
                *lease = again.copied().unwrap_or(*lease);
                again.is_some()
            });
        }
        self.forget_lost();
    }

    /// Takes lanes in, grouped by where their last owner left them.
    pub(crate) fn take_over(&mut self, acquired: Vec<Acquired>) {
        let mut fresh: Vec<Cursor> = Vec::new();
        for lane in acquired {
            let group = fresh
                .iter_mut()
                .find(|cursor| cursor.settled.as_ref() == Some(&lane.settled));
            if let Some(group) = group {
                group.leases.push(lane.lease);
            } else {
                fresh.push(Cursor {
                    leases: vec![lane.lease],
                    read_to: lane.settled.position.clone(),
                    // A difference that the last owner was in the middle of is read to its end.
                    paging: lane.settled.part.clone().map(|part| Paging {
                        until: part.until,
                        after: part.id,
                        last: None,
                    }),
                    reads: VecDeque::new(),
                    settled: Some(lane.settled.clone()),
                    written: Some(lane.settled),
                    dirty: false,
                });
            }
        }
        self.0.append(&mut fresh);
    }

    /// Forgets every lane whose lease is not among these.
    pub(crate) fn keep_only(&mut self, held: &[Lease]) {
        for cursor in &mut self.0 {
            cursor.leases.retain(|lease| held.contains(lease));
        }
        self.forget_lost();
    }

    /// Forgets cursors that have lost all their lanes.
    pub(crate) fn forget_lost(&mut self) {
        self.0.retain(|cursor| !cursor.leases.is_empty());
    }

    /// What to read next: of the cursors in the middle of a difference the one furthest behind, so that no lane waits for the
    /// end of another's backlog; else the leader's next difference.
    pub(crate) fn next(&self) -> Option<usize> {
        let paging = self.0.iter().enumerate();
        let paging =
            paging.filter_map(|(index, cursor)| Some((cursor.paging.as_ref()?.after, index)));
        let behind = paging.min().map(|(_, index)| index);
        behind.or((!self.0.is_empty()).then_some(0))
    }

    /// Lets go of lanes of the leader, if it is at rest, until there are no more than these in all. Gives their leases and what
    /// is settled: who takes them over from there publishes nothing twice.
    pub(crate) fn give_up(&mut self, all_but: usize) -> Option<(Vec<Lease>, Settled)> {
        let surplus = self.lanes_owned().saturating_sub(all_but);
        let leader = self.0.first_mut();
        let leader = leader.filter(|leader| surplus > 0 && leader.is_at_rest())?;
        let settled = leader.settled.clone()?;
        let kept = leader.leases.len().saturating_sub(surplus);
        let given_up = leader.leases.split_off(kept);
        self.forget_lost();
        Some((given_up, settled))
    }

    /// The leader has read up to here: the others follow, to the very same point. Its snapshot was taken after they were
    /// taken over, so it sees all that theirs see.
    pub(crate) fn follow(&mut self, until: &Snapshot) {
        for cursor in self.0.iter_mut().skip(1) {
            cursor.paging = Some(Paging {
                until: until.clone(),
                after: 0,
                last: None,
            });
        }
    }

    /// A page of so many rows was read by this cursor; `left` is what of the difference is not, and `to` where the
    /// cursor stands once nothing is left.
    pub(crate) fn advance(
        &mut self,
        index: usize,
        number: u64,
        rows: usize,
        to: Position,
        left: Option<Span>,
    ) {
        let cursor = &mut self.0[index];
        cursor.paging = left.map(|Span { after, last }| Paging {
            until: to.snapshot.clone(),
            after,
            last: Some(last),
        });
        let part = cursor.paging.as_ref().map(|paging| Part {
            until: paging.until.clone(),
            id: paging.after,
        });
        if part.is_none() {
            cursor.read_to = to;
        }
        cursor.reads.push_back(Read {
            number,
            unconfirmed: rows,
            had_rows: rows > 0,
            settles: Some(Settled {
                position: cursor.read_to.clone(),
                part,
            }),
        });
        cursor.drain();
        self.merge();
    }

    /// So many rows of a read are confirmed, parked, or of lanes that were lost.
    pub(crate) fn confirmed(&mut self, number: u64, rows: usize) {
        for cursor in &mut self.0 {
            if let Some(read) = cursor.reads.iter_mut().find(|read| read.number == number) {
                read.unconfirmed = read.unconfirmed.saturating_sub(rows);
                cursor.drain();
                return;
            }
        }
    }

    fn merge(&mut self) {
        let mut merged: Vec<Cursor> = Vec::new();
        for cursor in std::mem::take(&mut self.0) {
            match merged.first_mut() {
                Some(leader)
                    if cursor.paging.is_none()
                        && leader.paging.is_none()
                        && cursor.read_to.snapshot == leader.read_to.snapshot =>
                {
                    join(leader, cursor);
                }
                _ => merged.push(cursor),
            }
        }
        self.0 = merged;
    }
}

/// Lanes that have read to the same point share what comes; what both still have under way settles at that point, and no
/// position before it is common to them.
fn join(leader: &mut Cursor, mut follower: Cursor) {
    leader.leases.append(&mut follower.leases);
    leader.reads.append(&mut follower.reads);
    for read in &mut leader.reads {
        read.settles = None;
    }
    leader.read_to.id = leader.read_to.id.min(follower.read_to.id);
    leader.reads.push_back(Read {
        number: 0,
        unconfirmed: 0,
        had_rows: true,
        settles: Some(leader.read_to.clone().into()),
    });
    leader.settled = None;
    leader.written = None;
    leader.drain();
}

#[cfg(test)]
mod tests;
