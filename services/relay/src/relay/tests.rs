//! When a relay reads.

use messaging::{
    doorbell::Doorbell,
    lane::Lane,
    lease::{Acquired, Lease},
    outbox::{OutboxRow, Position},
    snapshot::Snapshot,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::*;
use crate::planner::Pending;

/// A relay of nothing that owns so many lanes.
fn relay(lanes: i16) -> Relay {
    let settings = Settings {
        name: "one".to_owned(),
        database: "orders",
        events_per_message: 1,
    };
    let pool = PgPool::connect_lazy("postgres://localhost").unwrap();
    let broker = BrokerUrl::parse("amqp://localhost").unwrap();
    let bell = Doorbell::new(Channel::Outbox).bell();
    let mut relay = Relay::new(settings, pool, broker, bell, Metrics::default());
    let settled = Position {
        snapshot: Snapshot::beginning(),
        id: 0,
    };
    let acquired = (0..lanes).map(|lane| Acquired {
        lease: Lease { lane, epoch: 1 },
        settled: settled.clone().into(),
        reset: false,
    });
    relay.cursors.take_over(acquired.collect());
    relay
}

/// An event that was read and is not published.
fn read_one(relay: &mut Relay) {
    let key = Uuid::from_u128(1);
    relay.line.planner.push(Pending {
        row: OutboxRow {
            id: 1,
            lane: Lane::of(key),
            key,
            event_id: key,
            kind: "a".to_owned(),
            creation: None,
            body: b"1".to_vec(),
        },
        read: 1,
        read_at: OffsetDateTime::UNIX_EPOCH,
        epoch: 1,
    });
}

#[tokio::test]
async fn who_owns_more_than_its_share_reads_nothing_while_something_is_under_way() {
    let mut relay = relay(64);
    read_one(&mut relay);
    assert!(relay.has_room(), "all lanes are its own");
    relay.share = 32;
    assert!(!relay.has_room());
    relay.line.planner.clear();
    assert!(relay.has_room(), "it cannot give them up, or will at once");
}
