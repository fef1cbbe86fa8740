//! The fence: whoever takes over waits until the old connection is gone from the broker.

use std::{collections::HashMap, time::Instant};

use messaging::doorbell::Channel;
use tests::{
    Login, Series, Wire, lapin::options::QueueDeclareOptions, lapin::types::FieldTable, poll_until,
};
use tokio_util::sync::CancellationToken;

use crate::{
    publishing::end_leases,
    support::{DEADLINE, World},
};

/// How long a hand-over may take when the owner stops or is killed.
const HAND_OVER: std::time::Duration = std::time::Duration::from_secs(5);

fn all_of(name: &str) -> HashMap<String, i64> {
    HashMap::from([(name.to_owned(), 64)])
}

#[tokio::test]
async fn an_ended_lease_is_not_taken_while_its_owner_is_connected_to_the_broker() {
    let world = World::new().await;
    let (mut frozen, mut heir) = (world.relay("frozen"), world.relay("heir"));
    frozen.upkeep().await.unwrap();
    end_leases(&world).await;
    heir.upkeep().await.unwrap();
    assert_eq!(world.owners().await, all_of("frozen"));
    world.cut_connection("frozen").await;
    world.take_over(&mut heir, "heir", 64).await;
}

#[tokio::test]
async fn a_relay_that_wakes_after_its_lanes_were_taken_publishes_nothing() {
    let world = World::new().await;
    let (mut frozen, mut heir) = (world.relay("frozen"), world.relay("heir"));
    frozen.upkeep().await.unwrap();
    end_leases(&world).await;
    world.cut_connection("frozen").await;
    world.take_over(&mut heir, "heir", 64).await;
    let orders = world.append(10).await;
    assert_eq!(heir.step(&world.stop).await.unwrap(), 10);
    // It has not looked at its leases since.
    frozen.step(&world.stop).await.ok();
    let times = world.arrived().await;
    assert_eq!(times.len(), orders.len());
    assert!(times.values().all(|count| *count == 1), "{times:?}");
}

#[tokio::test]
async fn a_relay_whose_connection_was_cut_leases_its_lanes_again_under_the_new_one() {
    let world = World::new().await;
    let mut relay = world.relay("one");
    relay.upkeep().await.unwrap();
    let connection = poll_until("the broker lists the connection", DEADLINE, async || {
        relay.upkeep().await.unwrap();
        world.connection_of("one").await
    })
    .await;
    let before = fences_and_epochs(&world).await;
    world.cut(&connection).await;
    let orders = world.append(10).await;
    assert_eq!(relay.step(&world.stop).await.unwrap(), 10);
    let after = fences_and_epochs(&world).await;
    assert_eq!(
        (before.len(), after.len()),
        (1, 1),
        "one fence for all lanes"
    );
    assert_ne!(before[0].0, after[0].0);
    assert_eq!(before[0].1 + 1, after[0].1);
    assert_eq!(world.arrived().await.len(), orders.len());
}

async fn fences_and_epochs(world: &World) -> Vec<(Option<String>, i64)> {
    sqlx::query_as("select distinct fence, epoch from messaging.lane")
        .fetch_all(&world.db.admin_pool())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_lane_given_up_cleanly_has_no_fence() {
    let world = World::new().await;
    let mut relay = world.relay("one");
    relay.upkeep().await.unwrap();
    relay.leave().await.unwrap();
    assert_eq!(fences_and_epochs(&world).await, [(None, 1)]);
}

#[tokio::test]
async fn the_relays_user_declares_fences_and_the_topology_and_nothing_else() {
    let world = World::new().await;
    let relay = tests::RawBroker::connect(world.vhost.url(tests::BrokerUser::Relay)).await;
    let declared = relay
        .channel()
        .queue_declare(
            "somebody.else".into(),
            QueueDeclareOptions::default(),
            FieldTable::default(),
        )
        .await;
    assert!(declared.is_err());
}

/// The owner ends without a word; two relays run on, one of them idle.
#[tokio::test]
async fn lanes_of_a_killed_relay_are_taken_over_within_five_seconds() {
    let world = World::new().await;
    let (killed_stop, heir_stop) = (CancellationToken::new(), CancellationToken::new());
    let killed = tokio::spawn(world.relay("killed").run(killed_stop));
    owned(&world, &all_of("killed")).await;
    let heir = tokio::spawn(world.relay("heir").run(heir_stop.clone()));
    owned(&world, &halves("killed", "heir")).await;
    killed.abort();
    let since = Instant::now();
    owned(&world, &all_of("heir")).await;
    assert!(since.elapsed() < HAND_OVER, "{:?}", since.elapsed());
    heir_stop.cancel();
    heir.await.unwrap();
}

/// Neither waits for a tick: both the coming and the leaving are rung.
#[tokio::test]
async fn a_relay_that_stops_hands_its_lanes_over_at_once() {
    let world = World::new().await;
    let stop = CancellationToken::new();
    let doorbell = messaging::doorbell::Doorbell::new(Channel::Outbox);
    tokio::spawn(
        doorbell
            .clone()
            .run(world.db.pool(Login::Relay), stop.clone()),
    );
    let (leaver_stop, heir_stop) = (CancellationToken::new(), CancellationToken::new());
    let heir = tokio::spawn(world.relay_at("heir", &doorbell).run(heir_stop.clone()));
    owned(&world, &all_of("heir")).await;
    let leaver = tokio::spawn(world.relay_at("leaver", &doorbell).run(leaver_stop.clone()));
    owned(&world, &halves("leaver", "heir")).await;
    leaver_stop.cancel();
    leaver.await.unwrap();
    let since = Instant::now();
    owned(&world, &all_of("heir")).await;
    assert!(
        since.elapsed() < std::time::Duration::from_millis(500),
        "{:?}",
        since.elapsed()
    );
    heir_stop.cancel();
    heir.await.unwrap();
    stop.cancel();
}

/// It cannot renew its leases, and what it publishes after their end could come behind what their next owner publishes.
#[tokio::test]
async fn a_relay_without_its_database_lets_go_of_the_broker_when_its_leases_end() {
    let world = World::new().await;
    let series = Series::open(&world.db, 128).await;
    let wire = Wire::of(&world.vhost).await;
    let (lonely_stop, heir_stop) = (CancellationToken::new(), CancellationToken::new());
    let database = world.proxy_to_database().await;
    let lonely = world.relay_with_database_over(&database, "lonely");
    let lonely = tokio::spawn(lonely.run(lonely_stop.clone()));
    let heir = tokio::spawn(world.relay("heir").run(heir_stop.clone()));
    owned(&world, &halves("lonely", "heir")).await;
    let writing = series.keep_writing();
    wire.moves_by(200, DEADLINE).await;
    database.cut();
    owned(&world, &all_of("heir")).await;
    wire.moves_by(200, DEADLINE).await;
    database.restore();
    owned(&world, &halves("lonely", "heir")).await;
    let written = writing.stop().await;
    wire.complete(&written, DEADLINE).await;
    for (relay, stop) in [(lonely, lonely_stop), (heir, heir_stop)] {
        stop.cancel();
        relay.await.unwrap();
    }
}

fn halves(one: &str, other: &str) -> HashMap<String, i64> {
    HashMap::from([(one.to_owned(), 32), (other.to_owned(), 32)])
}

async fn owned(world: &World, wanted: &HashMap<String, i64>) {
    poll_until("the lanes have these owners", DEADLINE, async || {
        (world.owners().await == *wanted).then_some(())
    })
    .await;
}
