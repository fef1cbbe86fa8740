//! The cursor of the event stream: a place in the status history, opaque so that it may change.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{limits, storage::position::Position};

/// What a cursor begins with, should its form ever change.
const VERSION: &str = "1";

/// The longest snapshot written into a cursor, in bytes, so that the cursor fits into a URL.
const SNAPSHOT_MAX_BYTES: usize = 1_024;

/// The cursor of a place.
pub(crate) fn encode(position: &Position) -> String {
    let mut snapshot = position.snapshot.to_string();
    if snapshot.len() > SNAPSHOT_MAX_BYTES {
        // Hundreds of transactions were running. An earlier place only means that some changes are told again.
        let oldest = snapshot.split(':').next().unwrap_or_default();
        snapshot = format!("{oldest}:{oldest}:");
    }
    URL_SAFE_NO_PAD.encode(format!(
        "{VERSION}/{}/{snapshot}",
        position.system_identifier
    ))
}

/// The place in a cursor; none if it is no cursor of ours.
pub(crate) fn decode(cursor: &str) -> Option<Position> {
    if cursor.len() > limits::EVENTS_CURSOR_MAX_CHARS {
        return None;
    }
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (system_identifier, snapshot) = text
        .strip_prefix(VERSION)?
        .strip_prefix('/')?
        .split_once('/')?;
    Some(Position {
        system_identifier: system_identifier.parse().ok()?,
        snapshot: snapshot.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(snapshot: &str) -> Position {
        Position {
            system_identifier: 7_301_234_567_890_123_456,
            snapshot: snapshot.parse().unwrap(),
        }
    }

    #[test]
    fn a_cursor_reads_back() {
        for snapshot in ["10:10:", "10:20:10,14"] {
            let position = position(snapshot);
            assert_eq!(decode(&encode(&position)), Some(position));
        }
    }

    #[test]
    fn a_snapshot_with_hundreds_of_transactions_becomes_an_earlier_place() {
        let running: Vec<String> = (1_000_000..1_000_500).map(|xid| xid.to_string()).collect();
        let crowded = position(&format!("1000000:1000500:{}", running.join(",")));
        let cursor = encode(&crowded);
        assert!(cursor.len() <= limits::EVENTS_CURSOR_MAX_CHARS);
        assert_eq!(decode(&cursor), Some(position("1000000:1000000:")));
    }

    #[test]
    fn what_is_no_cursor_is_none() {
        let of = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let huge = "A".repeat(limits::EVENTS_CURSOR_MAX_CHARS + 1);
        for cursor in [
            String::new(),
            "!".to_owned(),
            of("1/7"),
            of("2/7/1:1:"),
            of("1/7/1:1"),
            of("1/x/1:1:"),
            of("1/7/5:1:"),
            of("1/7/1:1:; drop table orders.orders"),
            huge,
        ] {
            assert_eq!(decode(&cursor), None, "{cursor}");
        }
    }
}
