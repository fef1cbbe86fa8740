//! Every limit at its edge.

use messaging::outbox::Unpublished;
use time::OffsetDateTime;

use super::{undecided::Tally, *};

const LIMITS: LoadLimits = LoadLimits {
    uncommitted: 2,
    undecided: 10,
    outbox_age: Duration::from_mins(1),
};

fn load() -> Arc<Load> {
    Load::new(LIMITS, Metrics::default())
}

/// A reading in which the oldest event is this old.
fn reading(age: Option<Duration>, settled: i64) -> Unpublished {
    let now = OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
    Unpublished {
        oldest: age.map(|age| now - age),
        now,
        settled,
    }
}

fn shed(load: &Load, reason: Overload) -> u64 {
    let labels = ShedLabels { reason };
    load.metrics.shed_requests.get_or_create(&labels).get()
}

#[test]
fn a_replica_has_so_many_requests_under_way_and_no_more() {
    let load = load();
    let first = load.admit().unwrap();
    let _second = load.admit().unwrap();
    assert_eq!(load.admit().unwrap_err(), Overload::Uncommitted);
    assert_eq!(shed(&load, Overload::Uncommitted), 1);
    drop(first);
    assert!(load.admit().is_ok(), "a commit makes room");
}

#[test]
fn the_count_is_limited_while_the_outbox_moves() {
    let load = load();
    load.undecided.begin(9);
    assert!(load.admit().is_ok(), "one below the limit");
    load.undecided.begin(10);
    assert_eq!(load.admit().unwrap_err(), Overload::Undecided);
    assert_eq!(shed(&load, Overload::Undecided), 1);
    let mut tally = Tally::default();
    tally.add(2);
    load.undecided.apply(tally);
    assert!(load.admit().is_ok(), "a decision makes room");
}

#[test]
fn while_the_outbox_stands_still_only_its_age_is_limited() {
    let load = load();
    let begun = Instant::now();
    load.undecided.begin(10);
    let moved = |seconds| {
        let age = Some(Duration::from_secs(1));
        load.outbox
            .see(&reading(age, 7), 0, begun + Duration::from_secs(seconds));
    };
    moved(0);
    let still = begun + limits::OUTBOX_STANDS_STILL;
    moved(4);
    let just_before = still - Duration::from_millis(1);
    assert_eq!(
        load.try_admit(just_before).unwrap_err(),
        Overload::Undecided
    );
    assert!(load.try_admit(still).is_ok());
    // The broker takes events again: lanes settle.
    load.outbox
        .see(&reading(Some(Duration::from_secs(9)), 8), 0, still);
    assert_eq!(load.try_admit(still).unwrap_err(), Overload::Undecided);
}

#[test]
fn decisions_show_that_the_outbox_moves_while_no_lane_settles() {
    let load = load();
    load.undecided.begin(10);
    let begun = Instant::now();
    let later = begun + 2 * limits::OUTBOX_STANDS_STILL;
    let age = Some(Duration::from_secs(30));
    load.outbox.see(&reading(age, 7), 0, begun);
    load.outbox.see(&reading(age, 7), 1, later);
    assert_eq!(load.try_admit(later).unwrap_err(), Overload::Undecided);
}

#[test]
fn the_age_of_the_oldest_event_is_limited_whatever_else() {
    let load = load();
    let begun = Instant::now();
    let just_below = Duration::from_millis(59_999);
    load.outbox.see(&reading(Some(just_below), 7), 0, begun);
    assert!(load.try_admit(begun).is_ok());
    let then = begun + Duration::from_millis(1);
    assert_eq!(load.try_admit(then).unwrap_err(), Overload::OutboxAge);
    load.outbox.see(&reading(None, 8), 0, then);
    assert!(load.try_admit(then).is_ok(), "everything is published");
}

#[test]
fn an_outbox_without_unpublished_events_neither_ages_nor_stands_still() {
    let load = load();
    let begun = Instant::now();
    load.undecided.begin(10);
    for seconds in [0, 100] {
        let at = begun + Duration::from_secs(seconds);
        load.outbox.see(&reading(None, 7), 0, at);
        assert_eq!(load.try_admit(at).unwrap_err(), Overload::Undecided);
    }
}
