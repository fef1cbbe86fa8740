//! Relays that are stopped, and relays that are killed.

use std::time::{Duration, Instant};

use tests::{Instance, Role, Series, Wire, wire::repeats};

use crate::relays::{ARRIVED_WITHIN, KEYS, ONE, Relays, TWO};

/// What is committed when an owner stops or is killed arrives by way of another within this time.
const HAND_OVER: Duration = Duration::from_secs(5);

#[tokio::test]
async fn order_holds_while_relays_are_killed() {
    let relays = Relays::start(&Instance::OfThisRun).await;
    let wire = Wire::of(relays.shop.vhost()).await;
    let series = Series::open(relays.database(), KEYS).await;
    let writing = series.keep_writing();
    for victim in [ONE, TWO, ONE, TWO] {
        wire.moves_by(500, ARRIVED_WITHIN).await;
        // In the middle of a backlog.
        series.extend(5).await;
        wire.moves_by(50, ARRIVED_WITHIN).await;
        relays.shop.kill(victim);
        relays.owned_by(1).await;
        relays.shop.start_again(victim).await;
        relays.owned_by(2).await;
    }
    // Both at once: the outbox waits.
    series.extend(5).await;
    relays.shop.kill(ONE);
    relays.shop.kill(TWO);
    relays.shop.start_again(ONE).await;
    let written = writing.stop().await;
    wire.complete(&written, ARRIVED_WITHIN).await;
}

#[tokio::test]
async fn a_clean_stop_causes_no_repeat() {
    let relays = Relays::start(&Instance::OfThisRun).await;
    let wire = Wire::of(relays.shop.vhost()).await;
    let series = Series::open(relays.database(), KEYS).await;
    let writing = series.keep_writing();
    for leaver in [ONE, TWO, ONE, TWO] {
        wire.moves_by(500, ARRIVED_WITHIN).await;
        relays.shop.stop(leaver).await;
        relays.owned_by(1).await;
        wire.moves_by(200, ARRIVED_WITHIN).await;
        relays.shop.start_again(leaver).await;
        relays.owned_by(2).await;
    }
    let written = writing.stop().await;
    let arrivals = wire.complete(&written, ARRIVED_WITHIN).await;
    assert_eq!(repeats(&arrivals), 0);
}

#[tokio::test]
async fn lanes_of_a_stopped_relay_flow_on_within_five_seconds() {
    let stopping = async |relays: &Relays, role| {
        relays.shop.stop(role).await;
    };
    Box::pin(flows_on_after(stopping)).await;
}

#[tokio::test]
async fn lanes_of_a_killed_relay_flow_on_within_five_seconds() {
    let killing = async |relays: &Relays, role| relays.shop.kill(role);
    Box::pin(flows_on_after(killing)).await;
}

/// Ends a relay, and measures how long what is written in all lanes at that moment takes to arrive.
async fn flows_on_after(end: impl AsyncFn(&Relays, Role)) {
    let relays = Relays::start(&Instance::OfThisRun).await;
    let wire = Wire::of(relays.shop.vhost()).await;
    let series = Series::open(relays.database(), KEYS).await;
    series.extend(1).await;
    wire.complete(&series.written().await, ARRIVED_WITHIN).await;
    let ended = Instant::now();
    end(&relays, ONE).await;
    series.extend(1).await;
    let arrivals = wire.complete(&series.written().await, ARRIVED_WITHIN).await;
    let last = arrivals.iter().map(|arrival| arrival.at).max().unwrap();
    let took = last.duration_since(ended);
    assert!(took < HAND_OVER, "{took:?}");
}
