//! Relays that are frozen past their leases and wake up when their lanes are another's: no clock can stop what they still
//! have on the way, the broker does.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use tests::{Instance, Series, Wire, wire::one_owner_after_the_other};

use crate::relays::{ARRIVED_WITHIN, KEYS, ONE, Relays, TWO};

/// The lanes of a frozen relay have another owner within this time.
const TAKEN_OVER: Duration = Duration::from_secs(15);

#[tokio::test]
async fn a_frozen_relay_that_wakes_up_late_reorders_and_loses_nothing() {
    let relays = Relays::start(&Instance::OfThisRun).await;
    let wire = Wire::traced(relays.shop.vhost()).await;
    let series = Series::open(relays.database(), KEYS).await;
    let writing = series.keep_writing();
    for frozen in [ONE, TWO] {
        wire.moves_by(500, ARRIVED_WITHIN).await;
        // It has a backlog in hand.
        series.extend(20).await;
        wire.moves_by(50, ARRIVED_WITHIN).await;
        relays.shop.freeze(frozen);
        let since = Instant::now();
        relays.owned_by(1).await;
        assert!(since.elapsed() < TAKEN_OVER, "{:?}", since.elapsed());
        // The new owner publishes the lanes, and then the old one goes on where it was.
        wire.moves_by(2_000, ARRIVED_WITHIN).await;
        relays.shop.thaw(frozen);
        relays.owned_by(2).await;
    }
    let written = writing.stop().await;
    wire.complete(&written, ARRIVED_WITHIN).await;
    let publishes = wire.publishes();
    let owners: BTreeSet<_> = publishes.iter().map(|event| &event.publisher).collect();
    assert!(owners.len() >= 3, "nothing to compare: {owners:?}");
    one_owner_after_the_other(&publishes).unwrap();
}
