//! The publish log: which message carried an event, as whose, and everything the broker answered.

use messaging::{
    broker::BrokerUrl,
    metrics::{Metrics, PublishLabels},
    publish_log::{self, Logged},
    topology::{self, PAYMENT_ORDERS},
};
use relay::{Relay, Settings};
use tests::{BrokerUser, Login, lapin::options::QueueDeleteOptions, poll_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    answers::{append_raw, may_configure},
    publishing::end_leases,
    support::{DEADLINE, World},
};

async fn events(world: &World) -> Vec<Uuid> {
    sqlx::query_scalar("select event_id from messaging.outbox order by id")
        .fetch_all(&world.db.admin_pool())
        .await
        .unwrap()
}

/// What is written down of an event, as the services' writer may read it.
async fn logged(world: &World, event: Uuid) -> Vec<Logged> {
    let mut connection = world.db.pool(Login::Writer).acquire().await.unwrap();
    let found = publish_log::of_events(&mut connection, &[event]).await;
    let found = found.unwrap().into_iter();
    found
        .map(|(of, message)| {
            assert_eq!(of, event);
            message
        })
        .collect()
}

#[tokio::test]
async fn the_log_tells_which_message_carried_an_event_when_and_as_whose() {
    let world = World::new().await;
    let mut relay = world.relay("one");
    relay.upkeep().await.unwrap();
    world.append(150).await;
    relay.step(&world.stop).await.unwrap();
    relay.leave().await.unwrap();
    let rows: Vec<(Uuid, i16, i64)> = sqlx::query_as(
        "select event_id, lane.lane, epoch from messaging.outbox join messaging.lane using (lane) order by id",
    )
    .fetch_all(&world.db.admin_pool())
    .await
    .unwrap();
    for (place, size) in [(0, 100), (99, 100), (149, 50)] {
        let (event, lane, epoch) = rows[place];
        let found = logged(&world, event).await;
        assert_eq!(found.len(), 1);
        let message = &found[0];
        assert!(message.event_ids.contains(&event));
        assert_eq!((message.event_ids.len(), message.attempts), (size, 1));
        assert_eq!(message.lanes.len(), message.epochs.len());
        assert_eq!(
            (message.relay.as_str(), message.epoch(lane)),
            ("one", Some(epoch))
        );
        assert_eq!(message.outcome, "confirmed");
        assert!(
            message
                .picked_up_at
                .is_some_and(|at| at <= message.published_at)
        );
        assert!(
            message
                .confirmed_at
                .is_some_and(|at| at >= message.published_at)
        );
    }
    assert_eq!(logged(&world, Uuid::now_v7()).await, []);
}

#[tokio::test]
async fn an_event_published_by_two_owners_has_a_row_of_each_with_its_epoch() {
    let world = World::new().await;
    let mut one = world.relay("one");
    one.upkeep().await.unwrap();
    world.append(1).await;
    one.step(&world.stop).await.unwrap();
    // Written down, but its position is not: as if it had died in between.
    one.write_back().await.unwrap();
    sqlx::raw_sql("update messaging.lane set settled = '1:1:'::pg_snapshot, settled_id = 0")
        .execute(&world.db.admin_pool())
        .await
        .unwrap();
    drop(one);
    end_leases(&world).await;
    let mut heir = world.relay("heir");
    world.take_over(&mut heir, "heir", 64).await;
    assert_eq!(heir.step(&world.stop).await.unwrap(), 1);
    heir.write_back().await.unwrap();
    let found = logged(&world, events(&world).await[0]).await;
    let told: Vec<_> = found
        .iter()
        .map(|message| (message.relay.as_str(), message.epochs.as_slice()))
        .collect();
    assert_eq!(told, [("one", &[1][..]), ("heir", &[2][..])]);
}

#[tokio::test]
async fn what_was_returned_and_confirmed_later_is_told_so() {
    let world = World::new().await;
    may_configure(&world, r"^gozon\.fence\..+$").await;
    world
        .raw
        .channel()
        .queue_delete(PAYMENT_ORDERS.name.into(), QueueDeleteOptions::default())
        .await
        .unwrap();
    let metrics = Metrics::default();
    let settings = Settings {
        name: "one".to_owned(),
        database: "orders",
        events_per_message: relay::EVENTS_PER_MESSAGE,
    };
    let broker = |user| BrokerUrl::parse(world.vhost.url(user)).unwrap();
    let pool = world.db.pool(Login::Relay);
    let bell = world.doorbell.bell();
    let relay = Relay::new(
        settings,
        pool,
        broker(BrokerUser::Relay),
        bell,
        metrics.clone(),
    );
    let stop = CancellationToken::new();
    let running = tokio::spawn(relay.run(stop.clone()));
    world.append(1).await;
    let returned = metrics.relay.publishes.get_or_create_owned(&PublishLabels {
        database: "orders",
        outcome: "returned",
    });
    poll_until("the event is returned twice", DEADLINE, async || {
        (returned.get() > 1).then_some(())
    })
    .await;
    topology::declare(&broker(BrokerUser::Owner)).await.unwrap();
    let event = events(&world).await[0];
    let found = poll_until("the event is written down", DEADLINE, async || {
        let found = logged(&world, event).await;
        (!found.is_empty()).then_some(found)
    })
    .await;
    stop.cancel();
    running.await.unwrap();
    let message = &found[0];
    assert!(message.outcome.starts_with("returned "), "{message:?}");
    assert!(message.outcome.ends_with(", confirmed"), "{message:?}");
    assert!(message.attempts > 1, "{message:?}");
}

#[tokio::test]
async fn what_is_parked_is_written_down_with_the_reason_and_the_owner() {
    let world = World::new().await;
    let key = Uuid::now_v7();
    let mut relay = world.relay("one");
    relay.upkeep().await.unwrap();
    append_raw(&world, key, 110_000).await;
    append_raw(&world, key, 10).await;
    relay.step(&world.stop).await.unwrap();
    relay.leave().await.unwrap();
    let mut outcomes = Vec::new();
    for event in events(&world).await {
        let found = logged(&world, event).await;
        assert_eq!(found.len(), 1);
        let message = &found[0];
        assert_eq!((message.relay.as_str(), message.epoch(7)), ("one", Some(1)));
        assert_eq!(message.confirmed_at, None);
        outcomes.push(message.outcome.clone());
    }
    assert_eq!(outcomes, ["parked, too_large", "parked, behind"]);
}
