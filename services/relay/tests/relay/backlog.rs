//! A backlog that takes many reads: who takes its lanes over in the middle of it goes on there.

use std::collections::HashMap;

use contracts::OrderId;
use sqlx::AssertSqlSafe;
use tests::poll_until;

use crate::{
    publishing::end_leases,
    support::{DEADLINE, World},
};

/// As many as fill this many reads, and some.
const EVENTS: usize = 4 * PAGE + 500;
const PAGE: usize = 2_000;

/// A relay dies in the middle of a backlog: two pages are written back and a third one is only published.
async fn interrupted(world: &World) -> Vec<OrderId> {
    let orders = world.append(EVENTS).await;
    let mut killed = world.relay("killed");
    killed.upkeep().await.unwrap();
    for page in 1..=3 {
        assert_eq!(killed.step(&world.stop).await.unwrap(), PAGE);
        if page == 2 {
            killed.write_back().await.unwrap();
        }
    }
    drop(killed);
    end_leases(world).await;
    orders
}

/// What another relay publishes, once it has all lanes.
async fn published_by_heir(world: &World) -> usize {
    let mut heir = world.relay("heir");
    world.take_over(&mut heir, "heir", 64).await;
    let mut published = 0;
    poll_until("there is nothing more", DEADLINE, async || {
        let events = heir.step(&world.stop).await.unwrap();
        published += events;
        (events == 0).then_some(())
    })
    .await;
    heir.leave().await.unwrap();
    published
}

#[tokio::test]
async fn in_the_middle_of_a_backlog_only_what_was_not_written_back_is_published_again() {
    let world = World::new().await;
    let orders = interrupted(&world).await;
    assert_eq!(published_by_heir(&world).await, EVENTS - 2 * PAGE);
    let times = world.arrived().await;
    assert_eq!(times.len(), orders.len());
    let repeated = times.values().filter(|count| **count == 2).count();
    assert_eq!(repeated, PAGE, "{:?}", how_often(&times));
}

fn how_often(times: &HashMap<String, usize>) -> HashMap<usize, usize> {
    let mut events: HashMap<usize, usize> = HashMap::new();
    for count in times.values() {
        *events.entry(*count).or_default() += 1;
    }
    events
}

/// A relay that knows of no parts, one of an older version, leaves the columns as they are.
#[tokio::test]
async fn a_part_counts_for_nothing_beside_another_position() {
    for (position, due) in [
        ("settled = '1:1:', settled_id = 0", EVENTS + 10),
        ("settled = pg_current_snapshot()", 10),
    ] {
        let world = World::new().await;
        interrupted(&world).await;
        let moved = format!("update messaging.lane set {position}");
        let admin = world.db.admin_pool();
        let moved = sqlx::raw_sql(AssertSqlSafe(moved)).execute(&admin).await;
        moved.unwrap();
        world.append(10).await;
        assert_eq!(published_by_heir(&world).await, due, "{position}");
    }
}

/// In a lane restored from another cluster the end of a difference is of that cluster too, and so is any position that it
/// stands beside.
#[tokio::test]
async fn a_part_of_another_cluster_counts_for_nothing() {
    let world = World::new().await;
    interrupted(&world).await;
    sqlx::raw_sql(
        "update messaging.lane
         set settled = '1:1:', settled_id = 0, part_since = '1:1:', system_identifier = 1",
    )
    .execute(&world.db.admin_pool())
    .await
    .unwrap();
    assert_eq!(published_by_heir(&world).await, EVENTS);
}
