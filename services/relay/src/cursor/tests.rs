//! Cursors: a position is settled when everything before it is confirmed, and not before.

mod machine;

use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Position {
    Position {
        snapshot: text.parse().unwrap(),
        id: 0,
    }
}

fn acquired(lane: i16, settled: &str) -> Acquired {
    Acquired {
        lease: Lease { lane, epoch: 1 },
        settled: at(settled).into(),
        reset: false,
    }
}

fn part(since: &str, until: &str, id: i64) -> Settled {
    Settled {
        position: at(since),
        part: Some(Part {
            until: at(until).snapshot,
            id,
        }),
    }
}

const REST: Option<Span> = Some(Span {
    after: 77,
    last: 99,
});

#[test]
fn lanes_taken_over_at_one_point_share_a_cursor() {
    let mut cursors = Cursors::default();
    cursors.take_over(vec![
        acquired(0, "5:5:"),
        acquired(1, "5:5:"),
        acquired(2, "6:6:"),
    ]);
    let lanes: Vec<_> = cursors.0.iter().map(Cursor::lanes).collect();
    assert_eq!(lanes, [vec![0, 1], vec![2]]);
}

#[test]
fn a_difference_that_the_last_owner_was_in_the_middle_of_is_read_on_from_there() {
    let mut cursors = Cursors::default();
    let in_the_middle = |lane| Acquired {
        settled: part("5:5:", "9:9:", 77),
        ..acquired(lane, "5:5:")
    };
    cursors.take_over(vec![
        acquired(0, "5:5:"),
        in_the_middle(1),
        in_the_middle(2),
    ]);
    assert_eq!(cursors.0.len(), 2, "they do not stand at one point");
    assert_eq!(cursors.next(), Some(1), "before the leader goes on");
    let paging = cursors.0[1].paging.clone().unwrap();
    assert_eq!(paging.until, at("9:9:").snapshot);
    assert_eq!((paging.after, paging.last), (77, None));
    assert_eq!(cursors.0[1].read_to, at("5:5:"));
}

#[test]
fn a_follower_joins_only_when_it_has_read_to_where_the_leader_is() {
    let mut cursors = Cursors::default();
    cursors.take_over(vec![acquired(0, "5:5:"), acquired(1, "3:3:")]);
    let until = at("9:9:");
    assert_eq!(cursors.next(), Some(0));
    cursors.follow(&until.snapshot);
    cursors.advance(0, 1, 0, until.clone(), None);
    assert_eq!(cursors.0.len(), 2, "the follower has not read yet");
    assert_eq!(cursors.next(), Some(1));
    cursors.advance(1, 2, 1, until.clone(), REST);
    assert_eq!(
        cursors.0[1].read_to,
        at("3:3:"),
        "a page is not the whole difference"
    );
    cursors.advance(1, 3, 1, until.clone(), None);
    assert_eq!(cursors.0.len(), 1);
    assert_eq!(cursors.0[0].lanes(), [0, 1]);
    assert_eq!(
        cursors.0[0].settled, None,
        "nothing common is confirmed yet"
    );
    cursors.confirmed(3, 1);
    cursors.confirmed(2, 1);
    assert_eq!(cursors.0[0].settled, Some(until.into()));
}

#[test]
fn of_two_backlogs_the_one_furthest_behind_is_read_on() {
    let mut cursors = Cursors::default();
    let in_the_middle = |lane, id| Acquired {
        settled: part("5:5:", "9:9:", id),
        ..acquired(lane, "5:5:")
    };
    cursors.take_over(vec![in_the_middle(0, 77), in_the_middle(1, 50)]);
    assert_eq!(cursors.next(), Some(1));
    let left = Some(Span {
        after: 80,
        last: 99,
    });
    cursors.advance(1, 1, 0, at("9:9:"), left);
    assert_eq!(cursors.next(), Some(0));
}

#[test]
fn a_read_settles_only_behind_those_before_it() {
    let mut cursors = Cursors::default();
    cursors.take_over(vec![acquired(0, "5:5:")]);
    cursors.advance(0, 1, 2, at("7:7:"), None);
    cursors.advance(0, 2, 1, at("9:9:"), None);
    cursors.confirmed(2, 1);
    cursors.confirmed(1, 1);
    assert_eq!(cursors.0[0].settled, Some(at("5:5:").into()));
    cursors.confirmed(1, 1);
    assert_eq!(cursors.0[0].settled, Some(at("9:9:").into()));
    assert!(cursors.0[0].is_at_rest());
}

#[test]
fn in_the_middle_of_a_difference_the_part_behind_which_all_is_confirmed_is_written_back() {
    let mut cursors = Cursors::default();
    cursors.take_over(vec![acquired(0, "5:5:")]);
    cursors.advance(0, 1, 2, at("9:9:"), REST);
    cursors.advance(
        0,
        2,
        2,
        at("9:9:"),
        Some(Span {
            after: 88,
            last: 99,
        }),
    );
    cursors.confirmed(2, 2);
    cursors.confirmed(1, 1);
    assert!(!cursors.0[0].has_news(), "of the first page one is not");
    cursors.confirmed(1, 1);
    assert_eq!(cursors.0[0].settled, Some(part("5:5:", "9:9:", 88)));
    assert!(cursors.0[0].has_news());
    cursors.0[0].written_back();
    cursors.advance(0, 3, 1, at("9:9:"), None);
    cursors.confirmed(3, 1);
    assert_eq!(cursors.0[0].settled, Some(at("9:9:").into()));
    assert!(cursors.0[0].has_news(), "the last page is published");
    cursors.0[0].written_back();
    assert!(!cursors.0[0].has_news());
    cursors.advance(0, 3, 0, at("12:12:"), None);
    assert!(
        !cursors.0[0].has_news() && cursors.0[0].has_moved(),
        "no row was published"
    );
}

#[test]
fn a_lost_lane_is_forgotten() {
    let mut cursors = Cursors::default();
    cursors.take_over(vec![acquired(0, "5:5:"), acquired(1, "6:6:")]);
    cursors.keep_only(&[Lease { lane: 1, epoch: 1 }]);
    assert_eq!(cursors.lanes(), [1]);
}

proptest! {
    /// Reads of some rows each, confirmed in any order: the settled position is that of the last read before the first
    /// one with an unconfirmed row.
    #[test]
    fn nothing_unconfirmed_is_ever_settled(
        reads in prop::collection::vec(0_usize..4, 1..20),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..80),
    ) {
        let mut cursors = Cursors::default();
        cursors.take_over(vec![acquired(0, "1:1:")]);
        let mut left = reads.clone();
        let position = |read: usize| at(&format!("{0}:{0}:", read + 1));
        for (read, rows) in reads.iter().enumerate() {
            cursors.advance(0, u64::try_from(read).unwrap() + 1, *rows, position(read + 1), None);
        }
        for which in order {
            let read = which.index(left.len());
            if left[read] > 0 {
                left[read] -= 1;
                cursors.confirmed(u64::try_from(read).unwrap() + 1, 1);
            }
            let first_open = left.iter().position(|rows| *rows > 0).unwrap_or(left.len());
            prop_assert_eq!(cursors.0[0].settled.clone(), Some(position(first_open).into()));
        }
    }
}
