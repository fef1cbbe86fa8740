//! What a relay tells of itself: how much it has published, and how it finds the broker.

use tests::{Proxy, poll_until};
use tokio_util::sync::CancellationToken;

use crate::support::{DEADLINE, World};

/// What the table says of a relay: how many events it published, how it finds the broker, and whether it counts as alive.
async fn told(world: &World, name: &str) -> Option<(i64, Option<String>, bool)> {
    sqlx::query_as(
        "select published, broker, heartbeat > now() - interval '3 seconds' from messaging.relay where name = $1",
    )
    .bind(name)
    .fetch_optional(&world.db.admin_pool())
    .await
    .unwrap()
}

#[tokio::test]
async fn a_relay_tells_how_much_it_has_published_since_it_started() {
    let world = World::new().await;
    let mut relay = world.relay("one");
    relay.upkeep().await.unwrap();
    let ok = |published| Some((published, Some("ok".to_owned()), true));
    assert_eq!(told(&world, "one").await, ok(0));
    let mut orders = world.append(30).await;
    while relay.step(&world.stop).await.unwrap() > 0 {}
    relay.upkeep().await.unwrap();
    assert_eq!(told(&world, "one").await, ok(30));
    orders.extend(world.append(12).await);
    while relay.step(&world.stop).await.unwrap() > 0 {}
    relay.upkeep().await.unwrap();
    assert_eq!(told(&world, "one").await, ok(42));
    relay.leave().await.unwrap();
    assert_eq!(told(&world, "one").await, None);
}

#[tokio::test]
async fn a_relay_with_lanes_tells_that_the_broker_is_away_and_back_and_goes_on_counting() {
    let world = World::new().await;
    let proxy = world.vhost.proxy().await;
    let stop = CancellationToken::new();
    let running = tokio::spawn(world.relay_over(&proxy, "one").run(stop.clone()));
    let orders = world.append(20).await;
    world.all_arrived(&orders).await;
    tells(&world, 20, "ok", true).await;
    proxy.swallow();
    proxy.cut();
    tells(&world, 20, "away", true).await;
    proxy.restore();
    let more = world.append(5).await;
    world.all_arrived(&more).await;
    tells(&world, 25, "ok", true).await;
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_relay_that_never_reached_the_broker_is_heard_but_does_not_count_as_alive() {
    let world = World::new().await;
    let nobody = Proxy::to_broker("127.0.0.1:9".parse().unwrap()).await;
    let stop = CancellationToken::new();
    let running = tokio::spawn(world.relay_over(&nobody, "one").run(stop.clone()));
    tells(&world, 0, "away", false).await;
    stop.cancel();
    running.await.unwrap();
}

async fn tells(world: &World, published: i64, broker: &str, is_alive: bool) {
    let wanted = Some((published, Some(broker.to_owned()), is_alive));
    poll_until("the relay tells of itself", DEADLINE, async || {
        (told(world, "one").await == wanted).then_some(())
    })
    .await;
}
