//! The planner: nothing lost, one unconfirmed message per key, order within a key, whatever the broker answers.

use std::collections::HashSet;

use messaging::lane::Lane;
use proptest::prelude::*;

use super::*;

const KINDS: [&str; 3] = ["a", "b", "c"];

fn row(id: i64, key: u128, kind: &str, bytes: usize) -> Pending {
    let key = Uuid::from_u128(key);
    let row = OutboxRow {
        id,
        lane: Lane::of(key),
        key,
        event_id: Uuid::from_u128(1),
        kind: kind.to_owned(),
        creation: None,
        body: format!("{}{id}", "0".repeat(bytes - 1)).into_bytes(),
    };
    Pending {
        row,
        read: 1,
        read_at: OffsetDateTime::UNIX_EPOCH,
        epoch: 1,
    }
}

fn publish(planner: &mut Planner) -> Option<Planned> {
    match planner.next(|_| true) {
        Some(Next::Publish(message)) => Some(message),
        Some(Next::Park(_)) => panic!("nothing here is too large"),
        None => None,
    }
}

#[test]
fn events_of_one_type_share_a_message() {
    let mut planner = Planner::new(EVENTS_PER_MESSAGE);
    for id in 1..=250_u8 {
        planner.push(row(id.into(), id.into(), "a", 3));
    }
    let sizes: Vec<usize> = std::iter::from_fn(|| publish(&mut planner))
        .map(|it| it.rows.len())
        .collect();
    assert_eq!(sizes, [100, 100, 50]);
    assert_eq!(planner.waiting(|_| true), 0);
}

#[test]
fn a_message_is_the_json_array_of_its_events() {
    let mut planner = Planner::new(EVENTS_PER_MESSAGE);
    planner.push(row(1, 1, "a", 1));
    planner.push(row(2, 2, "a", 1));
    assert_eq!(publish(&mut planner).unwrap().message().body, b"[1,2]");
}

#[test]
fn another_type_of_the_same_key_waits_for_the_confirm() {
    let mut planner = Planner::new(EVENTS_PER_MESSAGE);
    planner.push(row(1, 1, "a", 1));
    planner.push(row(2, 1, "b", 1));
    let first = publish(&mut planner).unwrap();
    assert!(publish(&mut planner).is_none());
    planner.settled(&first.rows);
    assert_eq!(publish(&mut planner).unwrap().rows[0].row.id, 2);
}

#[test]
fn a_type_that_rests_does_not_hold_up_the_others() {
    let mut planner = Planner::new(EVENTS_PER_MESSAGE);
    planner.push(row(1, 1, "a", 1));
    planner.push(row(2, 2, "b", 1));
    let next = planner.next(|kind| kind != "a");
    assert!(matches!(next, Some(Next::Publish(message)) if message.kind == "b"));
    assert_eq!(planner.waiting(|kind| kind == "a"), 1);
}

#[test]
fn what_fits_into_no_message_is_parked_with_its_keys_later_events() {
    let mut planner = Planner::new(EVENTS_PER_MESSAGE);
    planner.push(row(1, 1, "a", MAX_BYTES));
    planner.push(row(2, 1, "b", 1));
    planner.push(row(3, 2, "a", 1));
    let Some(Next::Park(parked)) = planner.next(|_| true) else {
        panic!("it is too large");
    };
    assert_eq!(
        parked.iter().map(|it| it.row.id).collect::<Vec<_>>(),
        [1, 2]
    );
    assert_eq!(publish(&mut planner).unwrap().rows[0].row.id, 3);
}

/// What happens next in a run of the planner.
#[derive(Debug, Clone)]
enum Step {
    /// A row of a key and a type, of a size.
    Row(u128, usize, usize),
    /// A message is put together.
    Send,
    /// The broker confirms one of the messages under way.
    Confirm(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_u128..20, 0_usize..3, 1_usize..40_000).prop_map(|(key, kind, bytes)| Step::Row(key, kind, bytes)),
        2 => Just(Step::Send),
        2 => (0_usize..8).prop_map(Step::Confirm),
    ]
}

/// Puts the next message together and checks it against those under way.
fn send(planner: &mut Planner, flying: &mut Vec<Planned>, last: &mut HashMap<Uuid, i64>) -> bool {
    let Some(message) = publish(planner) else {
        return false;
    };
    assert!(message.rows.len() <= usize::from(EVENTS_PER_MESSAGE));
    assert!(message.message().body.len() <= MAX_BYTES);
    let busy: HashSet<Uuid> = flying
        .iter()
        .flat_map(|it| &it.rows)
        .map(|it| it.row.key)
        .collect();
    for it in &message.rows {
        assert_eq!(it.row.kind, message.kind);
        assert!(
            !busy.contains(&it.row.key),
            "a key is in two unconfirmed messages"
        );
        let before = last.insert(it.row.key, it.row.id);
        assert!(
            before.is_none_or(|before| before < it.row.id),
            "out of order within a key"
        );
    }
    flying.push(message);
    true
}

fn confirm(planner: &mut Planner, flying: &mut Vec<Planned>, which: usize) -> usize {
    if flying.is_empty() {
        return 0;
    }
    let message = flying.swap_remove(which % flying.len());
    planner.settled(&message.rows);
    message.rows.len()
}

proptest! {
    #[test]
    fn no_event_is_lost_no_key_is_unconfirmed_twice_and_order_holds(
        steps in prop::collection::vec(step(), 0..400)
    ) {
        let (mut planner, mut flying, mut last) = (Planner::new(EVENTS_PER_MESSAGE), Vec::new(), HashMap::new());
        let (mut pushed, mut confirmed) = (0, 0);
        for step in steps {
            match step {
                Step::Row(key, kind, bytes) => {
                    pushed += 1;
                    planner.push(row(i64::try_from(pushed).unwrap(), key, KINDS[kind], bytes));
                }
                Step::Send => {
                    send(&mut planner, &mut flying, &mut last);
                }
                Step::Confirm(which) => confirmed += confirm(&mut planner, &mut flying, which),
            }
        }
        loop {
            while send(&mut planner, &mut flying, &mut last) {}
            match confirm(&mut planner, &mut flying, 0) {
                0 => break,
                rows => confirmed += rows,
            }
        }
        prop_assert_eq!(pushed, confirmed);
        prop_assert_eq!(planner.waiting(|_| true), 0);
        prop_assert!(planner.keys.is_empty(), "a settled key is forgotten");
    }
}
