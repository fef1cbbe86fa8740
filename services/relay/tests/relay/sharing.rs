//! Sharing lanes: fair, and without a gap when they change hands.

use std::collections::HashMap;

use contracts::{OrderId, TraceContext};
use messaging::{
    lane::Lane,
    lease::{self, Lease},
    outbox,
};
use tests::{Login, poll_until};
use tokio_util::sync::CancellationToken;

use crate::{
    publishing::end_leases,
    support::{DEADLINE, World, placed},
};

fn owner(name: &str) -> String {
    name.to_owned()
}

#[tokio::test]
async fn relays_share_the_lanes_fairly_and_give_up_what_is_too_much() {
    let world = World::new().await;
    let (mut one, mut two) = (world.relay("one"), world.relay("two"));
    one.upkeep().await.unwrap();
    assert_eq!(world.owners().await, HashMap::from([(owner("one"), 64)]));
    two.upkeep().await.unwrap();
    one.upkeep().await.unwrap();
    two.upkeep().await.unwrap();
    assert_eq!(
        world.owners().await,
        HashMap::from([(owner("one"), 32), (owner("two"), 32)])
    );
    two.leave().await.unwrap();
    one.upkeep().await.unwrap();
    assert_eq!(world.owners().await, HashMap::from([(owner("one"), 64)]));
}

#[tokio::test]
async fn a_relay_in_the_middle_of_a_backlog_shares_it_and_nothing_is_published_twice() {
    const EVENTS: usize = 8_500;
    let world = World::new().await;
    let orders = world.append(EVENTS).await;
    let (mut one, mut two) = (world.relay("one"), world.relay("two"));
    one.upkeep().await.unwrap();
    let mut by_one = one.step(&world.stop).await.unwrap();
    assert!(by_one > 0 && by_one < EVENTS / 2);
    two.upkeep().await.unwrap();
    one.upkeep().await.unwrap();
    two.upkeep().await.unwrap();
    assert_eq!(
        world.owners().await,
        HashMap::from([(owner("one"), 32), (owner("two"), 32)])
    );
    let mut by_two = 0;
    loop {
        let (first, second) = (one.step(&world.stop).await, two.step(&world.stop).await);
        let (first, second) = (first.unwrap(), second.unwrap());
        if first + second == 0 {
            break;
        }
        by_one += first;
        by_two += second;
    }
    assert!(by_two > EVENTS / 4, "{by_one} and {by_two}");
    assert_eq!(by_one + by_two, EVENTS);
    let times = world.arrived().await;
    assert_eq!(times.len(), orders.len());
    assert!(times.values().all(|count| *count == 1));
}

#[tokio::test]
async fn relays_that_come_at_once_never_own_the_same_lane() {
    let world = World::new().await;
    let mut relays: Vec<_> = ["a", "b", "c", "d"].map(|name| world.relay(name)).into();
    let (first, rest) = relays.split_at_mut(2);
    let (second, third) = rest.split_at_mut(1);
    let (one, two) = first.split_at_mut(1);
    let outcomes = tokio::join!(
        one[0].upkeep(),
        two[0].upkeep(),
        second[0].upkeep(),
        third[0].upkeep()
    );
    assert!(outcomes.0.is_ok() && outcomes.1.is_ok() && outcomes.2.is_ok() && outcomes.3.is_ok());
    let orders = world.append(200).await;
    // The first come gives up what is too much, the last comes takes the rest.
    for _ in 0..2 {
        for relay in &mut relays {
            relay.upkeep().await.unwrap();
            while relay.step(&world.stop).await.unwrap() > 0 {}
        }
    }
    let times = world.arrived().await;
    assert!(
        times.values().all(|count| *count == 1),
        "an event was published by two owners"
    );
    assert_eq!(times.len(), orders.len());
}

#[tokio::test]
async fn a_lane_that_changes_owner_with_rows_unpublished_loses_none() {
    let world = World::new().await;
    let mut one = world.relay("one");
    one.upkeep().await.unwrap();
    let mut orders = world.append(100).await;
    one.step(&world.stop).await.unwrap();
    one.write_back().await.unwrap();
    // Committed but never read by its owner, which dies; one more transaction was open all the while.
    orders.extend(world.append(100).await);
    let mut late = world.writer.begin().await.unwrap();
    let late_order = OrderId::new();
    outbox::append(&mut late, &placed(late_order), &TraceContext::root())
        .await
        .unwrap();
    drop(one);
    end_leases(&world).await;
    let (mut two, mut three) = (world.relay("two"), world.relay("three"));
    world.take_over(&mut two, "two", 64).await;
    three.upkeep().await.unwrap();
    two.step(&world.stop).await.unwrap();
    orders.extend(world.append(100).await);
    late.commit().await.unwrap();
    orders.push(late_order);
    two.upkeep().await.unwrap();
    three.upkeep().await.unwrap();
    assert_eq!(
        world.owners().await,
        HashMap::from([(owner("two"), 32), (owner("three"), 32)])
    );
    for relay in [&mut two, &mut three] {
        while relay.step(&world.stop).await.unwrap() > 0 {}
    }
    let times = world.arrived().await;
    let lost: Vec<_> = orders
        .iter()
        .filter(|order| !times.contains_key(&order.to_string()))
        .collect();
    assert_eq!(lost, Vec::<&OrderId>::new());
}

#[tokio::test]
async fn lanes_taken_over_from_several_owners_catch_up_with_the_rest() {
    let world = World::new().await;
    let (mut one, mut two) = (world.relay("one"), world.relay("two"));
    one.upkeep().await.unwrap();
    two.upkeep().await.unwrap();
    one.upkeep().await.unwrap();
    two.upkeep().await.unwrap();
    let mut orders = world.append(300).await;
    one.step(&world.stop).await.unwrap();
    one.write_back().await.unwrap();
    orders.extend(world.append(300).await);
    two.step(&world.stop).await.unwrap();
    two.write_back().await.unwrap();
    orders.extend(world.append(300).await);
    drop((one, two));
    end_leases(&world).await;
    let mut heir = world.relay("heir");
    world.take_over(&mut heir, "heir", 64).await;
    for _ in 0..4 {
        heir.step(&world.stop).await.unwrap();
    }
    let times = world.arrived().await;
    assert_eq!(times.len(), orders.len());
    assert!(
        times.values().all(|count| *count == 1),
        "what each had written back is not published again"
    );
}

#[tokio::test]
async fn running_relays_take_over_from_one_that_was_killed() {
    let world = World::new().await;
    let (stop_one, stop_two) = (CancellationToken::new(), CancellationToken::new());
    let killed = tokio::spawn(world.relay("killed").run(stop_one));
    let heir = tokio::spawn(world.relay("heir").run(stop_two.clone()));
    poll_until("both own lanes", DEADLINE, async || {
        (world.owners().await == HashMap::from([(owner("killed"), 32), (owner("heir"), 32)]))
            .then_some(())
    })
    .await;
    let mut orders = world.append(500).await;
    killed.abort();
    orders.extend(world.append(500).await);
    world.all_arrived(&orders).await;
    stop_two.cancel();
    heir.await.unwrap();
    assert_eq!(
        world.owners().await.get(&owner("heir")),
        None,
        "a clean stop gives its lanes up"
    );
}

#[tokio::test]
async fn a_lease_of_an_older_epoch_settles_and_renews_nothing() {
    let world = World::new().await;
    let mut connection = world.db.pool(Login::Relay).acquire().await.unwrap();
    let acquired = lease::acquire(&mut connection, "one", "fence", &[], &[], 64)
        .await
        .unwrap();
    let old: Vec<Lease> = acquired.iter().map(|lane| lane.lease).collect();
    let again = lease::take_again(&mut connection, "one", &old, "fence two").await;
    assert_eq!(again.unwrap().len(), 64);
    let settled = lease::settle(&mut connection, "one", &old, &acquired[0].settled).await;
    assert_eq!(settled.unwrap(), []);
    assert_eq!(
        lease::renew(&mut connection, "one", &old).await.unwrap(),
        []
    );
}

#[tokio::test]
async fn the_lane_of_a_row_is_the_lane_of_its_key() {
    let world = World::new().await;
    world.append(50).await;
    let rows: Vec<(i16, uuid::Uuid)> = sqlx::query_as("select lane, key from messaging.outbox")
        .fetch_all(&world.db.admin_pool())
        .await
        .unwrap();
    assert_eq!(rows.len(), 50);
    assert!(
        rows.iter()
            .all(|(lane, key)| Lane::of(*key).number() == *lane)
    );
}
