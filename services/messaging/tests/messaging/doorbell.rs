//! The doorbell between processes: a ring arrives, goes to nobody where nobody is, and outlives its connections.

use std::{collections::HashMap, net::SocketAddr, time::Duration};

use messaging::doorbell::{Channel, Doorbell, WokenBy};
use sqlx::postgres::{PgListener, PgPoolOptions};
use tests::{Login, Proxy, poll_until};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::{DEADLINE, database};

#[tokio::test]
async fn a_ring_crosses_processes() {
    let db = database().await;
    let stop = CancellationToken::new();
    let (here, there) = (
        Doorbell::new(Channel::Outbox),
        Doorbell::new(Channel::Outbox),
    );
    let tasks = [here.clone(), there.clone()]
        .map(|doorbell| tokio::spawn(doorbell.run(db.pool(Login::Relay), stop.clone())));
    let mut bell = there.bell();
    // The listener's own first ring tells that it listens.
    assert_eq!(bell.wait(DEADLINE).await, WokenBy::Notification);
    poll_until("a ring arrives", DEADLINE, async || {
        here.ring();
        (bell.wait(Duration::from_millis(200)).await == WokenBy::Notification).then_some(())
    })
    .await;
    end(&stop, tasks).await;
}

#[tokio::test]
async fn who_is_alone_notifies_nobody_until_another_listens() {
    let db = database().await;
    let stop = CancellationToken::new();
    let run = |doorbell: &Doorbell| {
        tokio::spawn(doorbell.clone().run(db.pool(Login::Relay), stop.clone()))
    };
    // It gives no sign of life, so nobody rings for it.
    let mut wire = PgListener::connect_with(&db.pool(Login::Relay))
        .await
        .unwrap();
    wire.listen(Channel::Outbox.as_str()).await.unwrap();
    let here = Doorbell::new(Channel::Outbox);
    let mut tasks = vec![run(&here)];
    // Others may be there that had no turn to speak yet.
    poll_until("rings go out at first", DEADLINE, async || {
        here.ring();
        hears_a_ring(&mut wire).await.then_some(())
    })
    .await;
    poll_until("rings stay within the process", 3 * DEADLINE, async || {
        here.ring();
        (!hears_a_ring(&mut wire).await).then_some(())
    })
    .await;
    let there = Doorbell::new(Channel::Outbox);
    tasks.push(run(&there));
    let mut bell = there.bell();
    assert_eq!(bell.wait(DEADLINE).await, WokenBy::Notification);
    poll_until(
        "what was rung before it was heard is made up for",
        DEADLINE,
        async || hears_a_ring(&mut wire).await.then_some(()),
    )
    .await;
    // It stays there without ringing itself, for longer than one sign of life holds.
    hears_both_for(&mut wire, 4).await;
    // It may have heard what was made up for together with its own first ring.
    bell.wait(Duration::ZERO).await;
    here.ring();
    assert_eq!(bell.wait(DEADLINE).await, WokenBy::Notification);
    end(&stop, tasks).await;
}

#[tokio::test]
async fn connections_that_fall_silent_are_made_anew() {
    let db = database().await;
    let stop = CancellationToken::new();
    let near = db.pool(Login::Relay);
    let options = near.connect_options();
    let server = SocketAddr::new(options.get_host().parse().unwrap(), options.get_port());
    let proxy = Proxy::to(server).await;
    let far =
        PgPoolOptions::new().connect_lazy_with((*options).clone().port(proxy.address().port()));
    let (here, there) = (
        Doorbell::new(Channel::Outbox),
        Doorbell::new(Channel::Outbox),
    );
    let (mut own, mut told) = (here.bell(), there.bell());
    let tasks = [(&here, far), (&there, near)]
        .map(|(doorbell, pool)| tokio::spawn(doorbell.clone().run(pool, stop.clone())));
    for bell in [&mut own, &mut told] {
        assert_eq!(bell.wait(DEADLINE).await, WokenBy::Notification);
    }
    proxy.swallow();
    poll_until("its rings are heard again", 3 * DEADLINE, async || {
        here.ring();
        (told.wait(Duration::from_millis(200)).await == WokenBy::Notification).then_some(())
    })
    .await;
    // To have listened anew is a ring, too.
    let mut heard = 0;
    poll_until("it hears others again", 3 * DEADLINE, async || {
        there.ring();
        let woken_by = own.wait(Duration::from_millis(200)).await;
        heard += usize::from(woken_by == WokenBy::Notification);
        (heard >= 3).then_some(())
    })
    .await;
    end(&stop, tasks).await;
}

/// Waits until each of two processes has said so often that it is there.
async fn hears_both_for(wire: &mut PgListener, times: usize) {
    let signs = async {
        let mut heard: HashMap<String, usize> = HashMap::new();
        while heard.len() < 2 || heard.values().any(|signs| *signs < times) {
            let notification = wire.recv().await.unwrap();
            if let Some(mark) = notification.payload().strip_prefix("listens ") {
                *heard.entry(mark.to_owned()).or_default() += 1;
            }
        }
    };
    tokio::time::timeout(3 * DEADLINE, signs).await.unwrap();
}

/// Whether a ring is on the wire within a moment; who only says that it listens does not ring.
async fn hears_a_ring(wire: &mut PgListener) -> bool {
    let ring = async {
        loop {
            let notification = wire.recv().await.unwrap();
            if !notification.payload().starts_with("listens ") {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_millis(300), ring)
        .await
        .is_ok()
}

/// Stops doorbells that run, and waits for their end.
async fn end(stop: &CancellationToken, tasks: impl IntoIterator<Item = JoinHandle<()>>) {
    stop.cancel();
    for task in tasks {
        task.await.unwrap();
    }
}
