//! From rows to AMQP messages: batches of one type, in waves in which no key is in two messages.
//!
//! A key is in at most one unconfirmed message, so a nack or a time-out cannot swap two events of a key: a wave is
//! published and confirmed before the next one starts.

use std::collections::HashMap;

use messaging::{outbox::OutboxRow, publisher::Outgoing};
use uuid::Uuid;

/// The most events in one AMQP message.
pub(crate) const MAX_EVENTS: usize = 100;

/// The most bytes in one AMQP message: below the broker's frame of 128 KiB.
pub(crate) const MAX_BYTES: usize = 100 * 1024;

/// A message with the rows that are in it.
#[derive(Debug)]
pub(crate) struct Planned {
    pub message: Outgoing,
    pub rows: Vec<OutboxRow>,
}

/// Messages that may be unconfirmed at the same time.
pub(crate) type Wave = Vec<Planned>;

/// Divides rows, oldest first, into waves of messages.
pub(crate) fn plan(rows: Vec<OutboxRow>) -> Vec<Wave> {
    let mut waves: Vec<Vec<Vec<OutboxRow>>> = Vec::new();
    let mut last_wave_of: HashMap<Uuid, usize> = HashMap::new();
    let mut open: HashMap<(usize, String), (usize, usize)> = HashMap::new();
    for row in rows {
        // A key's next event may join its last one's message if that is still open for the type; else it waits a wave.
        let earliest = last_wave_of.get(&row.key).copied();
        let wave = match earliest {
            None => 0,
            Some(wave) if last_message_takes(&waves, &open, wave, &row) => wave,
            Some(wave) => wave + 1,
        };
        if waves.len() == wave {
            waves.push(Vec::new());
        }
        let size = row.body.len() + 1;
        let slot = open
            .get(&(wave, row.kind.clone()))
            .copied()
            .filter(|(message, bytes)| {
                waves[wave][*message].len() < MAX_EVENTS && bytes + size <= MAX_BYTES
            });
        let (message, bytes) = slot.unwrap_or_else(|| {
            waves[wave].push(Vec::new());
            (waves[wave].len() - 1, 2)
        });
        open.insert((wave, row.kind.clone()), (message, bytes + size));
        last_wave_of.insert(row.key, wave);
        waves[wave][message].push(row);
    }
    waves
        .into_iter()
        .map(|wave| wave.into_iter().map(message_of).collect())
        .collect()
}

/// Whether the open message of the row's type in this wave has room and already holds the key's last event.
fn last_message_takes(
    waves: &[Vec<Vec<OutboxRow>>],
    open: &HashMap<(usize, String), (usize, usize)>,
    wave: usize,
    row: &OutboxRow,
) -> bool {
    let Some((message, bytes)) = open.get(&(wave, row.kind.clone())) else {
        return false;
    };
    let rows = &waves[wave][*message];
    rows.len() < MAX_EVENTS
        && bytes + row.body.len() < MAX_BYTES
        && rows.iter().any(|held| held.key == row.key)
}

/// Joins the rows' events, which are final, into a JSON array.
fn message_of(rows: Vec<OutboxRow>) -> Planned {
    let mut body = Vec::with_capacity(rows.iter().map(|row| row.body.len() + 1).sum::<usize>() + 1);
    for row in &rows {
        body.push(if body.is_empty() { b'[' } else { b',' });
        body.extend_from_slice(&row.body);
    }
    body.push(b']');
    let first = &rows[0];
    Planned {
        message: Outgoing {
            kind: first.kind.clone(),
            message_id: first.event_id,
            body,
        },
        rows,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use messaging::lane::Lane;
    use proptest::prelude::*;

    use super::*;

    fn row(id: i64, key: u128, kind: &str, bytes: usize) -> OutboxRow {
        let key = Uuid::from_u128(key);
        let body = format!("{id:0bytes$}").into_bytes();
        OutboxRow {
            id,
            lane: Lane::of(key),
            key,
            event_id: Uuid::from_u128(1),
            kind: kind.to_owned(),
            body,
        }
    }

    #[test]
    fn events_of_one_type_share_a_message() {
        let waves = plan(
            (1..=250)
                .map(|id| row(id, u128::try_from(id).unwrap(), "a", 3))
                .collect(),
        );
        assert_eq!(waves.len(), 1);
        assert_eq!(
            waves[0]
                .iter()
                .map(|planned| planned.rows.len())
                .collect::<Vec<_>>(),
            [100, 100, 50]
        );
    }

    #[test]
    fn a_message_is_the_json_array_of_its_events() {
        let waves = plan(vec![row(1, 1, "a", 1), row(2, 2, "a", 1)]);
        assert_eq!(waves[0][0].message.body, b"[1,2]");
    }

    #[test]
    fn another_type_of_the_same_key_waits_a_wave() {
        let waves = plan(vec![
            row(1, 1, "a", 1),
            row(2, 1, "b", 1),
            row(3, 2, "b", 1),
        ]);
        assert_eq!(waves.len(), 2);
        assert_eq!(waves[0].len(), 2);
        assert_eq!(waves[1][0].rows[0].id, 2);
    }

    proptest! {
        #[test]
        fn no_event_is_lost_no_key_is_unconfirmed_twice_and_order_holds(
            events in prop::collection::vec((0_u128..20, 0_usize..3, 1_usize..40_000), 0..300)
        ) {
            let kinds = ["a", "b", "c"];
            let rows: Vec<OutboxRow> = events
                .iter()
                .zip(1..)
                .map(|((key, kind, bytes), id)| row(id, *key, kinds[*kind], *bytes))
                .collect();
            let count = rows.len();
            let mut published: HashMap<Uuid, i64> = HashMap::new();
            let mut seen = 0;
            for wave in plan(rows) {
                let mut keys_in_wave: HashSet<Uuid> = HashSet::new();
                for planned in wave {
                    prop_assert!(planned.rows.len() <= MAX_EVENTS);
                    prop_assert!(planned.message.body.len() <= MAX_BYTES);
                    prop_assert!(planned.rows.iter().all(|row| row.kind == planned.message.kind));
                    let keys: HashSet<Uuid> = planned.rows.iter().map(|row| row.key).collect();
                    for key in &keys {
                        prop_assert!(keys_in_wave.insert(*key), "a key is in two messages of a wave");
                    }
                    for row in &planned.rows {
                        seen += 1;
                        let last = published.insert(row.key, row.id);
                        prop_assert!(last.is_none_or(|last| last < row.id), "out of order within a key");
                    }
                }
            }
            prop_assert_eq!(seen, count);
        }
    }
}
