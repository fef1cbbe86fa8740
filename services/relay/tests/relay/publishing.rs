//! Publishing: everything that was committed, at least once, whatever dies or is missing.

use messaging::{
    metrics::DatabaseLabels,
    topology::{EXCHANGE, PAYMENT_ORDERS},
    watch::OutboxWatch,
};
use tests::{
    Login,
    lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions},
    poll_until,
};
use tokio_util::sync::CancellationToken;

use crate::support::{DEADLINE, World};

#[tokio::test]
async fn what_is_committed_arrives_once_while_nothing_fails() {
    let world = World::new().await;
    let mut relay = world.relay("one");
    relay.upkeep().await.unwrap();
    let orders = world.append(250).await;
    assert_eq!(relay.step(&world.stop).await.unwrap(), 250);
    assert_eq!(relay.step(&world.stop).await.unwrap(), 0);
    relay.leave().await.unwrap();
    let times = world.arrived().await;
    assert_eq!(times.len(), orders.len());
    assert!(times.values().all(|count| *count == 1));
}

#[tokio::test]
async fn a_relay_that_dies_between_publish_and_write_back_publishes_again() {
    let world = World::new().await;
    let orders = world.append(10).await;
    let mut killed = world.relay("killed");
    killed.upkeep().await.unwrap();
    assert_eq!(killed.step(&world.stop).await.unwrap(), 10);
    drop(killed);
    end_leases(&world).await;
    let mut heir = world.relay("heir");
    world.take_over(&mut heir, "heir", 64).await;
    assert_eq!(heir.step(&world.stop).await.unwrap(), 10);
    let times = world.arrived().await;
    assert_eq!(times.len(), orders.len());
    assert!(
        times.values().all(|count| *count == 2),
        "published twice, under the same ids"
    );
}

#[tokio::test]
async fn what_was_written_back_is_not_published_again() {
    let world = World::new().await;
    world.append(10).await;
    let mut first = world.relay("first");
    first.upkeep().await.unwrap();
    first.step(&world.stop).await.unwrap();
    first.write_back().await.unwrap();
    drop(first);
    end_leases(&world).await;
    let mut heir = world.relay("heir");
    world.take_over(&mut heir, "heir", 64).await;
    assert_eq!(heir.step(&world.stop).await.unwrap(), 0);
}

#[tokio::test]
async fn an_owner_of_an_older_epoch_writes_nothing_back() {
    let world = World::new().await;
    let mut old = world.relay("old");
    old.upkeep().await.unwrap();
    let orders = world.append(10).await;
    assert_eq!(old.step(&world.stop).await.unwrap(), 10);
    end_leases(&world).await;
    world.cut_connection("old").await;
    let mut heir = world.relay("heir");
    world.take_over(&mut heir, "heir", 64).await;
    // Its own clock may tell it first that its leases have ended.
    old.write_back().await.ok();
    assert_eq!(
        old.step(&world.stop).await.unwrap_or_default(),
        0,
        "it owns nothing any more"
    );
    drop(heir);
    end_leases(&world).await;
    let mut third = world.relay("third");
    world.take_over(&mut third, "third", 64).await;
    assert_eq!(
        third.step(&world.stop).await.unwrap(),
        orders.len(),
        "the late write-back did not count"
    );
}

/// After a crash the server may give transaction numbers again that a relay's snapshot already sees: only the position in
/// the database counts then.
#[tokio::test]
async fn a_relay_that_loses_its_connection_goes_back_to_the_position_in_the_database() {
    let world = World::new().await;
    let stop = CancellationToken::new();
    let running = tokio::spawn(world.relay("one").run(stop.clone()));
    let orders = world.append(10).await;
    world.all_arrived(&orders).await;
    let admin = world.db.admin_pool();
    let written_back = "select count(*) from messaging.lane
         where pg_visible_in_snapshot((select max(xid::text::bigint)::text::xid8 from messaging.outbox), settled)";
    poll_until("the position is written back", DEADLINE, async || {
        let lanes: i64 = sqlx::query_scalar(written_back)
            .fetch_one(&admin)
            .await
            .unwrap();
        (lanes == 64).then_some(())
    })
    .await;
    sqlx::raw_sql(
        "update messaging.lane set settled = '1:1:';
         select pg_terminate_backend(pid) from pg_stat_activity
         where usename = 'orders_relay' and datname = current_database()",
    )
    .execute(&admin)
    .await
    .unwrap();
    world.all_arrived(&orders).await;
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_broker_without_topology_gets_it_and_then_the_messages() {
    let world = World::new().await;
    world
        .raw
        .channel()
        .queue_delete(PAYMENT_ORDERS.name.into(), QueueDeleteOptions::default())
        .await
        .unwrap();
    let orders = world.append(10).await;
    let mut relay = world.relay("one");
    relay.upkeep().await.unwrap();
    assert_eq!(relay.step(&world.stop).await.unwrap(), 10);
    assert_eq!(world.arrived().await.len(), orders.len());
}

#[tokio::test]
async fn a_broker_that_forgot_even_the_exchange_gets_it_again() {
    let world = World::new().await;
    let channel = world.raw.channel();
    channel
        .exchange_delete(EXCHANGE.into(), ExchangeDeleteOptions::default())
        .await
        .unwrap();
    let orders = world.append(10).await;
    let mut relay = world.relay("one");
    relay.upkeep().await.unwrap();
    assert_eq!(relay.step(&world.stop).await.unwrap(), 10);
    assert_eq!(world.arrived().await.len(), orders.len());
}

#[tokio::test]
async fn a_difference_larger_than_a_page_is_published_whole() {
    let world = World::new().await;
    let orders = world.append(4_500).await;
    let mut relay = world.relay("one");
    relay.upkeep().await.unwrap();
    let mut published = Vec::new();
    loop {
        match relay.step(&world.stop).await.unwrap() {
            0 => break,
            count => published.push(count),
        }
    }
    assert_eq!(published, [2_000, 2_000, 500]);
    assert_eq!(world.arrived().await.len(), orders.len());
}

#[tokio::test]
async fn a_stop_ends_a_relay_whose_broker_is_away() {
    let world = World::new().await;
    let mut relay = world.relay("one");
    relay.upkeep().await.unwrap();
    world.append(1).await;
    world
        .raw
        .channel()
        .queue_delete(PAYMENT_ORDERS.name.into(), QueueDeleteOptions::default())
        .await
        .unwrap();
    let denied = format!("permissions/{}/relay", world.vhost.name());
    world
        .vhost
        .management(tests::reqwest::Method::DELETE, &denied, None)
        .await
        .unwrap();
    world.stop.cancel();
    assert!(relay.step(&world.stop).await.is_err());
}

/// As if the leases had run out and the relays had been silent for as long.
pub(crate) async fn end_leases(world: &World) {
    sqlx::raw_sql(
        "update messaging.lane set lease_until = now() - interval '1 second' where owner is not null;
         delete from messaging.relay",
    )
    .execute(&world.db.admin_pool())
    .await
    .unwrap();
}

#[tokio::test]
async fn a_relay_makes_partitions_ahead_and_shows_for_how_many_days_and_forgets_old_keys() {
    let world = World::new().await;
    let admin = world.db.admin_pool();
    sqlx::raw_sql(
        "do $$ begin
           execute (select 'drop table ' || max(relid::text)
                    from pg_partition_tree('messaging.outbox') where isleaf);
         end $$;
         insert into messaging.idempotency_key (user_id, key, request_digest, resource_id, created_at)
         select 1, age::text, '', gen_random_uuid(), now() - age
         from unnest('{25 hours, 23 hours}'::interval[]) as age",
    )
    .execute(&admin)
    .await
    .unwrap();
    let outbox = &world.metrics.outbox;
    let watch = OutboxWatch::new("orders", world.db.pool(Login::Relay), outbox.clone());
    let ahead = async || {
        watch.read().await.unwrap();
        outbox.partitions_ahead.shown()
    };
    let labels = DatabaseLabels { database: "orders" };
    assert_eq!(ahead().await, [(labels.clone(), 6)]);
    world.relay("one").upkeep().await.unwrap();
    assert_eq!(ahead().await, [(labels, 7)], "a week ahead again");
    let kept: Vec<String> = sqlx::query_scalar("select key from messaging.idempotency_key")
        .fetch_all(&admin)
        .await
        .unwrap();
    assert_eq!(kept, ["23:00:00"]);
}
