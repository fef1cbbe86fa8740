//! Order along a key, as a consumer sees it, whatever the broker answers or fails to answer.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use messaging::{
    doorbell::{Channel, Doorbell},
    topology::EXCHANGE,
};
use tests::{
    Login, Series, Wire,
    lapin::{
        options::{BasicGetOptions, QueueBindOptions, QueueDeclareOptions},
        types::{AMQPValue, FieldTable},
    },
    poll_until,
    wire::{events, first_occurrences, one_owner_after_the_other, repeats},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::{DEADLINE, World};

/// Longer than the relay waits for a confirm, and than it takes to connect again.
const UNANSWERED: Duration = Duration::from_secs(40);

/// A relay that runs.
struct Running {
    stop: CancellationToken,
    tasks: [JoinHandle<()>; 2],
}

impl Running {
    /// Runs a relay with a doorbell, as a process does.
    fn of(world: &World, make: impl FnOnce(&Doorbell) -> relay::Relay) -> Self {
        let stop = CancellationToken::new();
        let doorbell = Doorbell::new(Channel::Outbox);
        let relay = tokio::spawn(make(&doorbell).run(stop.clone()));
        let ringing = tokio::spawn(doorbell.run(world.db.pool(Login::Relay), stop.clone()));
        Self {
            stop,
            tasks: [relay, ringing],
        }
    }

    async fn end(self) {
        self.stop.cancel();
        for task in self.tasks {
            task.await.unwrap();
        }
    }
}

/// A queue that holds one message and refuses the next.
async fn tight_queue(world: &World, name: &str, binding: &str) {
    let channel = world.raw.channel();
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(1));
    let refuses = AMQPValue::LongString("reject-publish".into());
    arguments.insert("x-overflow".into(), refuses);
    let declared = channel.queue_declare(name.into(), QueueDeclareOptions::default(), arguments);
    declared.await.unwrap();
    let (options, arguments) = (QueueBindOptions::default(), FieldTable::default());
    let bound = channel.queue_bind(
        name.into(),
        EXCHANGE.into(),
        binding.into(),
        options,
        arguments,
    );
    bound.await.unwrap();
}

/// Takes the message out of a queue, if there is one.
async fn take(world: &World, queue: &str) -> Option<Vec<u8>> {
    let options = BasicGetOptions { no_ack: true };
    let got = world.raw.channel().basic_get(queue.into(), options).await;
    got.unwrap().map(|message| message.delivery.data)
}

#[tokio::test]
async fn order_holds_in_a_queue_that_refuses_most_messages() {
    let world = World::new().await;
    tight_queue(&world, "order.tight", "#").await;
    let series = Series::open(&world.db, 60).await;
    let running = Running::of(&world, |bell| world.relay_at("one", bell));
    for _ in 0..3 {
        series.extend(3).await;
    }
    let wanted: u64 = series.written().await.values().sum();
    let mut messages = Vec::new();
    let mut taken = 0;
    poll_until("the queue has had every event", 4 * DEADLINE, async || {
        let message = take(&world, "order.tight").await?;
        taken += events(std::slice::from_ref(&message)).len();
        messages.push(message);
        (taken >= usize::try_from(wanted).unwrap()).then_some(())
    })
    .await;
    running.end().await;
    let arrivals = events(&messages);
    first_occurrences(&arrivals).unwrap();
    assert_eq!(repeats(&arrivals), 0, "what is refused is in no queue");
    assert!(world.answers("nacked") > 0);
}

#[tokio::test]
async fn a_refused_event_holds_back_its_key_and_no_other_key() {
    const REFUSED: &str = "payment.captured.v1";
    let world = World::new().await;
    let wire = Wire::of(&world.vhost).await;
    tight_queue(&world, "order.tight", REFUSED).await;
    let properties = tests::lapin::BasicProperties::default();
    world
        .raw
        .publish("", "order.tight", properties, b"[]")
        .await;
    let held = Series::of_kinds(&world.db, 40, &[REFUSED, "order.placed.v1", REFUSED]).await;
    let free = Series::of_kinds(&world.db, 40, &["order.placed.v1", "payment.declined.v1"]).await;
    let running = Running::of(&world, |bell| world.relay_at("one", bell));
    held.extend(3).await;
    free.extend(3).await;
    wire.complete(&free.written().await, DEADLINE).await;
    let refused = world.answers("nacked");
    poll_until("the type is tried again", DEADLINE, async || {
        (world.answers("nacked") > refused + 1).then_some(())
    })
    .await;
    let written = held.written().await;
    let of_held = |arrivals: &[tests::wire::Arrival]| -> Vec<u64> {
        let held = arrivals
            .iter()
            .filter(|arrival| written.contains_key(&arrival.key));
        held.map(|arrival| arrival.number).collect()
    };
    let overtaking = of_held(&wire.arrivals());
    assert!(
        overtaking.iter().all(|number| *number == 0),
        "behind a refused event its key waits: {overtaking:?}"
    );
    let mut messages = Vec::new();
    poll_until("the queue has had every event", 2 * DEADLINE, async || {
        messages.extend(take(&world, "order.tight").await);
        (events(&messages).len() >= 80).then_some(())
    })
    .await;
    wire.complete(&written, DEADLINE).await;
    running.end().await;
    let accepted: Vec<u64> = of_held(&events(&messages));
    assert_eq!(accepted.len(), 80);
    assert_eq!(repeats(&events(&messages)), 0);
}

/// What was written during an outage has arrived this long after it, though a key's events of changing types go one in each
/// round trip, and the broker copies all of them for the trace.
const CAUGHT_UP: Duration = Duration::from_mins(2);

/// While events are written all the time, a wire that is silent for so long carries no more.
const STILL: Duration = Duration::from_millis(500);

#[tokio::test]
async fn order_holds_and_nothing_is_lost_when_confirms_are_lost_with_the_wire() {
    let world = World::new().await;
    let (wire, proxy) = (Wire::of(&world.vhost).await, world.vhost.proxy().await);
    let series = Series::open(&world.db, 120).await;
    let running = Running::of(&world, |_| world.relay_over(&proxy, "one"));
    let writing = series.keep_writing();
    for _ in 0..3 {
        wire.moves_by(200, DEADLINE).await;
        proxy.withhold();
        // A window full of messages arrives, nobody says so, and no more comes.
        let mut seen = (wire.count(), Instant::now());
        poll_until("nothing arrives any more", DEADLINE, async || {
            if wire.count() != seen.0 {
                seen = (wire.count(), Instant::now());
            }
            (seen.1.elapsed() > STILL).then_some(())
        })
        .await;
        let failed = world.answers("failed");
        proxy.cut();
        poll_until(
            "the relay learns that it will never know",
            DEADLINE,
            async || (world.answers("failed") > failed).then_some(()),
        )
        .await;
        proxy.restore();
    }
    let written = writing.stop().await;
    let arrivals = wire.complete(&written, UNANSWERED).await;
    running.end().await;
    assert!(repeats(&arrivals) > 0, "what was not confirmed went again");
    assert!(world.answers("failed") > 0);
}

#[tokio::test]
async fn a_publish_that_is_never_answered_goes_again_and_order_holds() {
    let world = World::new().await;
    let (wire, proxy) = (Wire::of(&world.vhost).await, world.vhost.proxy().await);
    let series = Series::open(&world.db, 120).await;
    let running = Running::of(&world, |_| world.relay_over(&proxy, "one"));
    let writing = series.keep_writing();
    wire.moves_by(200, DEADLINE).await;
    proxy.withhold();
    poll_until("a publish is given up", UNANSWERED, async || {
        (world.answers("timed_out") > 0).then_some(())
    })
    .await;
    proxy.restore();
    let written = writing.stop().await;
    let arrivals = wire.complete(&written, UNANSWERED).await;
    running.end().await;
    assert!(repeats(&arrivals) > 0, "what was not confirmed went again");
}

#[tokio::test]
async fn what_a_lost_connection_had_on_the_way_does_not_come_behind_what_the_next_one_sends() {
    let world = World::new().await;
    let (wire, proxy) = (Wire::traced(&world.vhost).await, world.vhost.proxy().await);
    let series = Series::open(&world.db, 120).await;
    let running = Running::of(&world, |_| world.relay_over(&proxy, "one"));
    let writing = series.keep_writing();
    wire.moves_by(200, DEADLINE).await;
    proxy.hold_up();
    let publishers = || -> HashSet<_> {
        let publishes = wire.publishes().into_iter();
        publishes.filter_map(|publish| publish.publisher).collect()
    };
    poll_until("another connection publishes", UNANSWERED, async || {
        (publishers().len() == 2).then_some(())
    })
    .await;
    proxy.restore();
    wire.moves_by(500, DEADLINE).await;
    let written = writing.stop().await;
    wire.complete(&written, CAUGHT_UP).await;
    running.end().await;
    one_owner_after_the_other(&wire.publishes()).unwrap();
}
