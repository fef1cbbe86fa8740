//! The line: what is pending of a lane goes out in the tenure it was read in, and in no other.

use messaging::{lane::Lane, outbox::OutboxRow};

use super::*;

const KEY: Uuid = Uuid::from_u128(7);

fn line() -> Line {
    let settings = Settings {
        name: "one".to_owned(),
        database: "orders",
        events_per_message: 100,
    };
    Line::new(&settings, &Metrics::default())
}

/// The lane of the key, under this epoch.
fn lease(epoch: i64) -> Lease {
    Lease {
        lane: Lane::of(KEY).number(),
        epoch,
    }
}

/// The key's first row, as a read finds it now.
fn push(line: &mut Line, read: u64) {
    push_of(line, read, "a");
}

/// A row of the key of this type.
fn push_of(line: &mut Line, read: u64, kind: &str) {
    let row = OutboxRow {
        id: 1,
        lane: Lane::of(KEY),
        key: KEY,
        event_id: Uuid::from_u128(1),
        kind: kind.to_owned(),
        creation: None,
        body: b"1".to_vec(),
    };
    let epoch = line.epoch_of(row.lane.number());
    line.planner.push(Pending {
        row,
        read,
        read_at: OffsetDateTime::now_utc(),
        epoch,
    });
}

/// The reads by which the rows of the next message came.
fn next(line: &mut Line) -> Option<(Flight, Vec<u64>)> {
    let mut flight = line.next_flight(Instant::now())?;
    flight.leases = line.leases_of(&flight.planned.rows);
    let reads = flight.planned.rows.iter().map(|it| it.read).collect();
    Some((flight, reads))
}

#[tokio::test]
async fn what_waits_when_a_lane_is_lost_does_not_go_out_when_it_is_regained() {
    let mut line = line();
    line.owns(&[lease(1)]);
    push(&mut line, 1);
    line.owns(&[]);
    line.owns(&[lease(3)]);
    push(&mut line, 2);
    let (flight, reads) = next(&mut line).unwrap();
    assert_eq!(reads, [2], "what was read before is read again");
    assert_eq!(flight.leases, [lease(3)]);
    assert_eq!(line.settled, [(1, 1)], "nobody waits for the old row");
}

#[tokio::test]
async fn a_confirm_of_an_older_epoch_settles_nothing_that_was_read_under_the_new_one() {
    let mut line = line();
    line.owns(&[lease(1)]);
    push(&mut line, 1);
    let (old, _) = next(&mut line).unwrap();
    line.owns(&[]);
    line.owns(&[lease(3)]);
    push(&mut line, 2);
    assert!(next(&mut line).is_none(), "the key is in a message");
    line.answered((old, Answer::Confirmed));
    assert_eq!(line.settled, [(1, 1)], "its own read and no other");
    assert_eq!(
        (line.log[0].lanes.len(), line.log[0].epoch(lease(1).lane)),
        (1, Some(1))
    );
    let (_, reads) = next(&mut line).unwrap();
    assert_eq!(reads, [2], "and the row goes out under the new epoch");
}

#[tokio::test]
async fn a_refusal_under_an_older_epoch_does_not_go_out_again_under_the_new_one() {
    let mut line = line();
    line.owns(&[lease(1)]);
    push(&mut line, 1);
    let (old, _) = next(&mut line).unwrap();
    line.owns(&[]);
    line.owns(&[lease(3)]);
    line.answered((old, Answer::TimedOut));
    assert!(next(&mut line).is_none());
    assert_eq!(line.settled, [(1, 1)]);
}

#[tokio::test]
async fn what_waits_goes_out_over_a_new_connection_though_the_epoch_has_grown() {
    let mut line = line();
    line.owns(&[lease(1)]);
    push(&mut line, 1);
    line.owns(&[lease(2)]);
    let (flight, reads) = next(&mut line).unwrap();
    assert_eq!(reads, [1]);
    assert_eq!(flight.leases, [lease(2)]);
}

#[tokio::test]
async fn what_rests_and_what_is_held_behind_it_does_not_move() {
    let mut line = line();
    line.owns(&[lease(1)]);
    assert!(!line.is_moving());
    push(&mut line, 1);
    push_of(&mut line, 1, "b");
    assert!(line.is_moving(), "the first may go");
    let (first, _) = next(&mut line).unwrap();
    line.answered((first, Answer::Nacked));
    assert!(!line.is_moving(), "a is refused, and b comes behind it");
}

#[tokio::test]
async fn what_a_lost_connection_left_moves() {
    let mut line = line();
    line.owns(&[lease(1)]);
    push(&mut line, 1);
    let (first, _) = next(&mut line).unwrap();
    line.answered((first, Answer::TimedOut));
    assert!(line.is_moving());
}

#[tokio::test]
async fn the_window_grows_with_confirms_and_shrinks_with_refusals() {
    let mut line = line();
    line.owns(&[lease(1)]);
    let answer = |line: &mut Line, answer: Answer| {
        push(line, 1);
        line.window.filled();
        let (flight, _) = next(line).unwrap();
        line.answered((flight, answer));
        line.window.size()
    };
    let first = line.window.size();
    let sizes: Vec<usize> = (0..3 * first)
        .map(|_| answer(&mut line, Answer::Confirmed))
        .collect();
    let grown = *sizes.last().unwrap();
    assert!(grown > first, "{sizes:?}");
    assert!(answer(&mut line, Answer::Nacked) < grown);
}
