//! A database restored from another cluster: its transaction numbers mean nothing here, and every retained row goes out.

use messaging::metrics::DatabaseLabels;
use sqlx::AssertSqlSafe;
use tests::{Backing, Series, Wire, wire::repeats};

use crate::support::{DEADLINE, World};

/// Leaves the server with transaction numbers that a fresh one has yet to give.
async fn use_up_transaction_numbers(world: &World) {
    sqlx::raw_sql(
        "do $$ begin
             set synchronous_commit = off;
             for n in 1..20000 loop
                 perform pg_current_xact_id();
                 commit;
             end loop;
         end $$",
    )
    .execute(&world.db.admin_pool())
    .await
    .unwrap();
}

/// How often an alarm was raised.
fn alarms(world: &World) -> u64 {
    let labels = DatabaseLabels { database: "orders" };
    world.metrics.relay.restores.get_or_create(&labels).get()
}

async fn publish_all(world: &World, relay: &mut relay::Relay) -> usize {
    let mut published = 0;
    loop {
        match relay.step(&world.stop).await.unwrap() {
            0 => return published,
            events => published += events,
        }
    }
}

/// The true thing: a dump, a cluster made by `initdb`, and a restore into it.
#[tokio::test]
async fn after_a_restore_into_a_fresh_cluster_everything_retained_is_published_in_order() {
    let mut world = World::new().await;
    use_up_transaction_numbers(&world).await;
    let series = Series::open(&world.db, 100).await;
    let mut relay = world.relay("one");
    relay.upkeep().await.unwrap();
    series.extend(3).await;
    assert_eq!(publish_all(&world, &mut relay).await, 300);
    relay.write_back().await.unwrap();
    // Committed before the dump, and not yet published.
    series.extend(2).await;
    drop(relay);
    let fresh = Backing::private().await;
    let copy = world.db.copied_to(&fresh.instance()).await;
    world.moves_to(copy);
    let series = series.in_database(&world.db);

    let wire = Wire::of(&world.vhost).await;
    let mut heir = world.relay("heir");
    world.take_over(&mut heir, "heir", 64).await;
    assert_eq!(publish_all(&world, &mut heir).await, 500);
    let raised = alarms(&world);
    assert!(raised > 0, "somebody is told");
    series.extend(1).await;
    assert_eq!(publish_all(&world, &mut heir).await, 100);
    heir.leave().await.unwrap();
    let arrivals = wire.complete(&series.written().await, DEADLINE).await;
    assert_eq!(repeats(&arrivals), 0);

    let mut next = world.relay("next");
    next.upkeep().await.unwrap();
    assert_eq!(publish_all(&world, &mut next).await, 0, "once is enough");
    assert_eq!(alarms(&world), raised);
}

/// Lanes written by another cluster that was far ahead of this one.
const OF_ANOTHER_CLUSTER: &str = "system_identifier = 1";
const FAR_AHEAD: &str = "settled = '900000000:900000000:', settled_id = 900000000";

/// What a restore looks like: numbers far ahead of this cluster's counter, and lanes as another one left them.
async fn restore(world: &World, lanes: &[&str]) {
    let statement = format!(
        "update messaging.outbox
         set xid = (pg_current_xact_id()::text::bigint + case when id % 2 = 0 then 1000000 else -1 end)::text::xid8;
         update messaging.lane set {}",
        lanes.join(", ")
    );
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&world.db.admin_pool())
        .await
        .unwrap();
}

#[tokio::test]
async fn every_retained_row_is_published_also_those_numbered_ahead_of_this_cluster() {
    let world = World::new().await;
    let orders = world.append(40).await;
    restore(&world, &[OF_ANOTHER_CLUSTER, FAR_AHEAD]).await;
    let mut relay = world.relay("one");
    relay.upkeep().await.unwrap();
    assert_eq!(relay.step(&world.stop).await.unwrap(), 40);
    assert_eq!(world.arrived().await.len(), orders.len());
    let later = world.append(5).await;
    assert_eq!(relay.step(&world.stop).await.unwrap(), later.len());
}

#[tokio::test]
async fn one_sign_of_another_cluster_is_enough() {
    // This cluster has come past the old positions before a relay looks: all rows seem to be published.
    let passed =
        "settled = pg_current_snapshot(), settled_id = (select max(id) from messaging.outbox)";
    for lanes in [&[OF_ANOTHER_CLUSTER, passed][..], &[FAR_AHEAD]] {
        let world = World::new().await;
        let orders = world.append(10).await;
        restore(&world, lanes).await;
        let mut relay = world.relay("one");
        relay.upkeep().await.unwrap();
        assert_eq!(relay.step(&world.stop).await.unwrap(), 10, "{lanes:?}");
        assert_eq!(world.arrived().await.len(), orders.len());
        assert!(alarms(&world) > 0, "{lanes:?}");
    }
}

#[tokio::test]
async fn rows_keep_their_numbers_unless_the_database_was_restored() {
    let world = World::new().await;
    world.append(3).await;
    let numbers = "select array_agg(xid::text order by id) from messaging.outbox";
    let admin = world.db.admin_pool();
    let before: Vec<String> = sqlx::query_scalar(numbers).fetch_one(&admin).await.unwrap();
    let relay = world.db.pool(tests::Login::Relay);
    sqlx::query("select * from messaging.adopt_restored(0, 1000)")
        .execute(&relay)
        .await
        .unwrap();
    let after: Vec<String> = sqlx::query_scalar(numbers).fetch_one(&admin).await.unwrap();
    assert_eq!(before, after);
}
