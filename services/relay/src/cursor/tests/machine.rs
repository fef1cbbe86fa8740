//! Cursors through everything that happens to a relay: commits, reads in pages, confirms in any order, lanes taken over where
//! others left them, and lanes lost. Rows are numbered by their commits, and a position is how many there were.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const LANES: i16 = 6;

/// The most rows that a page holds here; the first look at a difference gives up with as many.
const PAGE: usize = 3;

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// Somebody commits an event of a lane.
    Commit(i16),
    /// The relay reads, as it does in a turn.
    Read,
    /// The broker confirms an event that was read.
    Confirm(prop::sample::Index),
    /// The relay takes over a free lane, whose last owner wrote back this share of what there is, and perhaps was in the
    /// middle of the difference up to this share, at that id.
    TakeOver(
        i16,
        prop::sample::Index,
        Option<(prop::sample::Index, prop::sample::Index)>,
    ),
    /// A lane is another's now.
    Lose(i16),
    /// The relay gives all lanes but so many up, as far as it may.
    GiveUp(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..LANES).prop_map(Step::Commit),
        4 => Just(Step::Read),
        4 => any::<prop::sample::Index>().prop_map(Step::Confirm),
        1 => (0..LANES, any::<prop::sample::Index>(), any::<Option<(prop::sample::Index, prop::sample::Index)>>())
            .prop_map(|(lane, at, part)| Step::TakeOver(lane, at, part)),
        1 => (0..LANES).prop_map(Step::Lose),
        1 => (0..usize::from(LANES.unsigned_abs())).prop_map(Step::GiveUp),
    ]
}

fn position(rows: usize) -> Position {
    at(&format!("{0}:{0}:", rows + 1))
}

/// How many rows a position has behind it.
fn rows_before(position: &Position) -> usize {
    usize::try_from(position.snapshot.xmax()).unwrap() - 1
}

/// How many rows are settled: rows are numbered by their commits, so those of a part follow those before the position.
fn rows_settled(settled: &Settled) -> usize {
    let part = settled.part.as_ref().map(|part| {
        let until = Position {
            snapshot: part.until.clone(),
            id: 0,
        };
        rows_before(&until).min(usize::try_from(part.id).unwrap())
    });
    rows_before(&settled.position).max(part.unwrap_or_default())
}

fn id(row: usize) -> i64 {
    i64::try_from(row).unwrap() + 1
}

/// A lane as the relay has had it since it took it over.
#[derive(Debug)]
struct Tenure {
    epoch: i64,
    /// Rows before are published by others.
    from: usize,
    /// What was written back last, or could have been.
    settled: usize,
    read: BTreeSet<usize>,
    confirmed: BTreeSet<usize>,
}

#[derive(Debug, Default)]
struct Relay {
    cursors: Cursors,
    /// The lane of each row.
    rows: Vec<i16>,
    tenures: BTreeMap<i16, Tenure>,
    /// Read and not confirmed: the read, the row, and the epoch it was read under.
    under_way: Vec<(u64, usize, i64)>,
    reads: u64,
    epochs: i64,
}

impl Relay {
    fn take_over(&mut self, lane: i16, settled: Settled) {
        if self.tenures.contains_key(&lane) {
            return;
        }
        let from = rows_settled(&settled);
        self.epochs += 1;
        let lease = Lease {
            lane,
            epoch: self.epochs,
        };
        let tenure = Tenure {
            epoch: self.epochs,
            from,
            settled: from,
            read: BTreeSet::new(),
            confirmed: BTreeSet::new(),
        };
        self.tenures.insert(lane, tenure);
        self.cursors.take_over(vec![Acquired {
            lease,
            settled,
            reset: false,
        }]);
    }

    fn lose(&mut self, lane: i16) {
        self.tenures.remove(&lane);
        let held = self.cursors.leases();
        let held: Vec<Lease> = held
            .into_iter()
            .filter(|lease| lease.lane != lane)
            .collect();
        self.cursors.keep_only(&held);
    }

    /// The relay gives lanes up and takes them over again: whoever does publishes nothing again.
    fn give_up(&mut self, all_but: usize) {
        let Some((given_up, settled)) = self.cursors.give_up(all_but) else {
            return;
        };
        for Lease { lane, .. } in given_up {
            let tenure = self.tenures.remove(&lane).expect("it is owned");
            let read = tenure.read.last();
            assert!(
                read.is_none_or(|read| *read < rows_settled(&settled)),
                "row {read:?} of lane {lane} would be published twice"
            );
            self.take_over(lane, settled.clone());
        }
    }

    /// What the flow does with a database that has these rows; says whether there was anything to do.
    fn read(&mut self) -> bool {
        let Some(index) = self.cursors.next() else {
            return false;
        };
        let cursor = &self.cursors.0[index];
        let (lanes, since) = (cursor.lanes(), rows_before(&cursor.read_to));
        let paging = cursor.paging.clone();
        let was_paging = paging.is_some();
        let new_of = |until: usize, after: i64| -> Vec<usize> {
            let rows = since..until;
            rows.filter(|row| lanes.contains(&self.rows[*row]) && id(*row) > after)
                .collect()
        };
        let (rows, until, left) = match paging {
            None => {
                let until = self.rows.len();
                let rows = new_of(until, 0);
                self.cursors.follow(&position(until).snapshot);
                if rows.len() < PAGE {
                    (rows, until, None)
                } else {
                    (Vec::new(), until, span(0, until))
                }
            }
            Some(Paging {
                until,
                after,
                last: None,
            }) => {
                let until = rows_before(&Position {
                    snapshot: until,
                    id: 0,
                });
                (Vec::new(), until, span(after, until))
            }
            Some(Paging {
                until,
                after,
                last: Some(_),
            }) => {
                let until = rows_before(&Position {
                    snapshot: until,
                    id: 0,
                });
                let mut rows = new_of(until, after);
                rows.truncate(PAGE);
                let full = rows.len() == PAGE;
                let left = rows
                    .last()
                    .filter(|_| full)
                    .and_then(|row| span(id(*row), until));
                (rows, until, left)
            }
        };
        self.reads += 1;
        for row in &rows {
            let tenure = self
                .tenures
                .get_mut(&self.rows[*row])
                .expect("it is read for its lane");
            assert!(tenure.read.insert(*row), "row {row} was read twice");
            self.under_way.push((self.reads, *row, tenure.epoch));
        }
        let found = !rows.is_empty() || was_paging || left.is_some() || self.cursors.0.len() > 1;
        self.cursors
            .advance(index, self.reads, rows.len(), position(until), left);
        found
    }

    fn confirm(&mut self, which: usize) {
        let (read, row, epoch) = self.under_way.swap_remove(which);
        let tenure = self.tenures.get_mut(&self.rows[row]);
        if let Some(tenure) = tenure.filter(|tenure| tenure.epoch == epoch) {
            tenure.confirmed.insert(row);
        }
        self.cursors.confirmed(read, 1);
    }

    /// Everything read up to is read, everything settled up to is confirmed, and no lane's settled position goes back.
    fn check(&mut self) {
        assert_eq!(self.cursors.lanes_owned(), self.tenures.len());
        for cursor in &self.cursors.0 {
            for lane in cursor.lanes() {
                let tenure = self.tenures.get_mut(&lane).expect("it is owned");
                let due = |until: usize| {
                    let rows = tenure.from..until.max(tenure.from);
                    rows.filter(|row| self.rows[*row] == lane)
                };
                for row in due(rows_before(&cursor.read_to)) {
                    assert!(tenure.read.contains(&row), "row {row} was skipped");
                }
                let Some(settled) = cursor.settled.as_ref().map(rows_settled) else {
                    continue;
                };
                for row in due(settled) {
                    assert!(
                        tenure.confirmed.contains(&row),
                        "row {row} is not confirmed"
                    );
                }
                assert!(tenure.settled <= settled, "lane {lane} went back");
                tenure.settled = settled;
            }
        }
    }
}

/// The ids after this one, up to those of so many rows; none if there are none.
fn span(after: i64, rows: usize) -> Option<Span> {
    let last = i64::try_from(rows).unwrap();
    (after < last).then_some(Span { after, last })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn nothing_is_skipped_read_twice_or_settled_unconfirmed(
        steps in prop::collection::vec(step(), 0..200)
    ) {
        let mut relay = Relay::default();
        for step in steps {
            match step {
                Step::Commit(lane) => relay.rows.push(lane),
                Step::Read => {
                    relay.read();
                }
                Step::Confirm(which) if !relay.under_way.is_empty() => {
                    relay.confirm(which.index(relay.under_way.len()));
                }
                Step::Confirm(_) => {}
                Step::TakeOver(lane, at, part) => {
                    let rows = relay.rows.len();
                    let from = at.index(rows + 1);
                    let part = part.map(|(until, id)| {
                        let until = from + until.index(rows - from + 1);
                        Part {
                            until: position(until).snapshot,
                            id: i64::try_from(from + id.index(until - from + 1)).unwrap(),
                        }
                    });
                    relay.take_over(lane, Settled { position: position(from), part });
                }
                Step::Lose(lane) => relay.lose(lane),
                Step::GiveUp(all_but) => relay.give_up(all_but),
            }
            relay.check();
        }
        // In the end all lanes share one cursor, which is settled at the present.
        while relay.read() {
            relay.check();
        }
        while !relay.under_way.is_empty() {
            relay.confirm(0);
            relay.check();
        }
        if !relay.tenures.is_empty() {
            prop_assert_eq!(relay.cursors.0.len(), 1);
            prop_assert_eq!(relay.cursors.0[0].settled.clone(), Some(position(relay.rows.len()).into()));
            prop_assert!(relay.cursors.0[0].is_at_rest());
        }
    }
}
