//! The cursor of the list: after which order the next page begins, opaque so that it may change.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use contracts::OrderId;
use uuid::Uuid;

use crate::limits;

/// The first byte of a cursor, should its form ever change.
const VERSION: u8 = 1;

/// The cursor behind an order.
pub(super) fn encode(last: OrderId) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(last.as_uuid().as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The order in a cursor; none if it is no cursor of ours.
pub(super) fn decode(cursor: &str) -> Option<OrderId> {
    if cursor.len() > limits::LIST_CURSOR_MAX_CHARS {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let id = bytes.strip_prefix(&[VERSION])?;
    Uuid::from_slice(id).ok().map(OrderId::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back() {
        let id = OrderId::new();
        assert_eq!(decode(&encode(id)), Some(id));
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let longer = URL_SAFE_NO_PAD.encode([VERSION; 18]);
        let other_version = URL_SAFE_NO_PAD.encode([2; 17]);
        let huge = "A".repeat(limits::LIST_CURSOR_MAX_CHARS + 1);
        for text in ["", "A", "не курсор", "AQ==", &longer, &other_version, &huge] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
