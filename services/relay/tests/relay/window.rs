//! The window: how many messages may be unconfirmed.

use std::time::{Duration, Instant};

use messaging::topology::PAYMENT_ORDERS;
use tests::poll_until;
use tokio_util::sync::CancellationToken;

use crate::support::{DEADLINE, World};

/// Before the first confirm the window is as small as it ever is.
const FIRST_WINDOW: u32 = 4;

/// More messages than any window has room for.
const MESSAGES: usize = 200;

/// A relay that may publish needs far less time for its next message.
const STILL: Duration = Duration::from_millis(500);

#[tokio::test]
async fn no_more_messages_go_out_unconfirmed_than_the_window_has_room_for() {
    let (world, stop) = (World::new().await, CancellationToken::new());
    let proxy = world.vhost.proxy().await;
    let mut relay = world.one_by_one_over(&proxy, "one");
    relay.upkeep().await.unwrap();
    proxy.withhold();
    let orders = world.append(MESSAGES).await;
    let running = tokio::spawn(relay.run(stop.clone()));
    let mut seen = (0, Instant::now());
    poll_until("messages arrive, and then no more", DEADLINE, async || {
        let arrived = world.raw.depth(PAYMENT_ORDERS.name).await.unwrap();
        if arrived != seen.0 {
            seen = (arrived, Instant::now());
        }
        (arrived > 0 && seen.1.elapsed() > STILL).then_some(())
    })
    .await;
    assert_eq!(seen.0, FIRST_WINDOW);
    // What was withheld never comes; over a new connection confirms do, and with them the rest goes.
    proxy.cut();
    poll_until("the relay learns so", DEADLINE, async || {
        (world.answers("failed") > 0).then_some(())
    })
    .await;
    proxy.restore();
    world.all_arrived(&orders).await;
    stop.cancel();
    running.await.unwrap();
}
