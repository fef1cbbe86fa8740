//! Cursors: how far groups of lanes are published, and how a group that was taken over catches up with the rest.

use messaging::{
    lease::{Acquired, Lease},
    snapshot::Snapshot,
};

/// Lanes that share a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub leases: Vec<Lease>,
    /// Every row this snapshot sees is confirmed.
    pub since: Snapshot,
    /// A difference being read in pages.
    pub paging: Option<Paging>,
    /// The position last written back.
    pub written: Snapshot,
    /// Whether anything was published since it was written back.
    pub dirty: bool,
}

/// How far a difference is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paging {
    /// The snapshot the difference ends at: it becomes `since` after the last page, not before.
    pub until: Snapshot,
    /// The last row read; none before the first page.
    pub after_id: Option<i64>,
}

impl Cursor {
    pub(crate) fn lanes(&self) -> Vec<i16> {
        self.leases.iter().map(|lease| lease.lane).collect()
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
        self.0.retain(|cursor| !cursor.leases.is_empty());
    }

    pub(crate) fn owns(&self, lane: i16) -> bool {
        self.0
            .iter()
            .any(|cursor| cursor.leases.iter().any(|lease| lease.lane == lane))
    }

    /// Takes lanes in, grouped by where their last owner left them.
    pub(crate) fn take_over(&mut self, acquired: Vec<Acquired>) {
        let mut fresh: Vec<Cursor> = Vec::new();
        for lane in acquired {
            if let Some(group) = fresh.iter_mut().find(|cursor| cursor.since == lane.settled) {
                group.leases.push(lane.lease);
            } else {
                let (since, written) = (lane.settled.clone(), lane.settled);
                fresh.push(Cursor {
                    leases: vec![lane.lease],
                    since,
                    paging: None,
                    written,
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
        self.0.retain(|cursor| !cursor.leases.is_empty());
    }

    /// What to read next: the cursor that is in the middle of a difference, else the leader's next difference.
    pub(crate) fn next(&self) -> Option<usize> {
        let paging = self.0.iter().position(|cursor| cursor.paging.is_some());
        paging.or((!self.0.is_empty()).then_some(0))
    }

    /// The leader has read up to here: the others follow, to the very same point. Its snapshot was taken after they were
    /// taken over, so it sees all that theirs see.
    pub(crate) fn follow(&mut self, until: &Snapshot) {
        for cursor in self.0.iter_mut().skip(1) {
            cursor.paging = Some(Paging {
                until: until.clone(),
                after_id: None,
            });
        }
    }

    /// A page of this cursor is published; `last_id` is its last row unless it was the last page.
    pub(crate) fn advance(&mut self, index: usize, until: Snapshot, last_id: Option<i64>) {
        let cursor = &mut self.0[index];
        if last_id.is_some() {
            cursor.paging = Some(Paging {
                until,
                after_id: last_id,
            });
        } else {
            cursor.since = until;
            cursor.paging = None;
        }
        self.merge();
    }

    fn merge(&mut self) {
        let mut merged: Vec<Cursor> = Vec::new();
        for mut cursor in std::mem::take(&mut self.0) {
            match merged.first_mut() {
                Some(leader)
                    if cursor.paging.is_none()
                        && leader.paging.is_none()
                        && cursor.since == leader.since =>
                {
                    leader.leases.append(&mut cursor.leases);
                    leader.dirty = true;
                }
                _ => merged.push(cursor),
            }
        }
        self.0 = merged;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acquired(lane: i16, settled: &str) -> Acquired {
        Acquired {
            lease: Lease { lane, epoch: 1 },
            settled: settled.parse().unwrap(),
            settled_id: 0,
            reset: false,
        }
    }

    #[test]
    fn lanes_taken_over_at_one_point_share_a_cursor() {
        let mut cursors = Cursors::default();
        cursors.take_over(vec![
            acquired(0, "5:5:"),
            acquired(1, "5:5:"),
            acquired(2, "6:6:"),
        ]);
        assert_eq!(
            cursors.0.iter().map(Cursor::lanes).collect::<Vec<_>>(),
            [vec![0, 1], vec![2]]
        );
    }

    #[test]
    fn a_follower_joins_only_when_it_has_read_to_where_the_leader_is() {
        let mut cursors = Cursors::default();
        cursors.take_over(vec![acquired(0, "5:5:"), acquired(1, "3:3:")]);
        let until: Snapshot = "9:9:".parse().unwrap();
        assert_eq!(cursors.next(), Some(0));
        cursors.follow(&until);
        cursors.advance(0, until.clone(), None);
        assert_eq!(cursors.0.len(), 2, "the follower has not read yet");
        assert_eq!(cursors.next(), Some(1));
        cursors.advance(1, until.clone(), Some(77));
        assert_eq!(
            cursors.0[1].since,
            "3:3:".parse().unwrap(),
            "a page is not the whole difference"
        );
        cursors.advance(1, until.clone(), None);
        assert_eq!(cursors.0.len(), 1);
        assert_eq!(cursors.0[0].lanes(), [0, 1]);
        assert_eq!(cursors.0[0].since, until);
    }

    #[test]
    fn a_lost_lane_is_forgotten() {
        let mut cursors = Cursors::default();
        cursors.take_over(vec![acquired(0, "5:5:"), acquired(1, "6:6:")]);
        cursors.keep_only(&[Lease { lane: 1, epoch: 1 }]);
        assert!(!cursors.owns(0) && cursors.owns(1));
        assert_eq!(cursors.lanes_owned(), 1);
    }
}
