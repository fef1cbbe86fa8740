//! Relays are left to an operator: they come with the load and go with it, and not for a broker that is away.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Wire, poll::poll_for, wire::repeats};

use super::{
    condition,
    leader::{self, Pod},
    shop, until,
};
use crate::{
    audit,
    inside::{self, SHOP, this_version},
    namespace::Namespace,
    visitors::Visitors,
};

const RELAY: [&str; 2] = ["outboxrelay", "gozon-relay-orders"];

/// How many lanes an outbox has.
const LANES: i64 = 64;

/// Ten customers order so often, and as many more come until a relay that publishes event by event, on a fiftieth of a
/// processor, cannot keep up: how many it takes depends on the machine.
const ORDER_EVERY: Duration = Duration::from_millis(100);

/// By then it shows whether the relay keeps up.
const MORE_COME_AFTER: Duration = Duration::from_secs(20);

/// So many times they come at most.
const PARTIES_MAX: usize = 10;

/// How long the oldest event may wait.
const TARGET_AGE_MILLISECONDS: i64 = 5_000;

/// Far longer than that, and than several looks at it.
const FAR_TOO_OLD_MILLISECONDS: i64 = 30_000;

#[tokio::test]
async fn relays_come_with_the_load_and_go_with_it_though_the_operator_is_killed_and_nothing_is_published_twice()
 {
    let namespace = shop().await;
    leave_slow_relays_to_operator(namespace).await;
    let wire = Wire::over(inside::broker(namespace).await).await;
    let begun = Instant::now();
    let parties = come_until_relays_are_added(namespace).await;
    println!("relays are added after {:?}", begun.elapsed());
    leader::kill(namespace, Pod::Stays).await;
    let before = placed(&parties).await;
    until(namespace, "nobody waits too long", RELAY, |relay| {
        let oldest = relay["status"]["oldestAgeMilliseconds"].as_i64();
        oldest.is_some_and(|oldest| oldest < TARGET_AGE_MILLISECONDS)
            && shares(relay).len() >= 2
            && all_lanes_have_owners(relay)
    })
    .await;
    println!("nobody waits too long after {:?}", begun.elapsed());
    show(namespace).await;
    assert!(placed(&parties).await > before, "the load goes on");

    join_all(parties.into_iter().map(Visitors::leave)).await;
    let begun = Instant::now();
    until(namespace, "relays are taken away", RELAY, |relay| {
        relay["status"]["replicas"] == 1 && shares(relay).len() == 1 && all_lanes_have_owners(relay)
    })
    .await;
    println!("relays are taken away after {:?}", begun.elapsed());
    let arrivals = wire.arrivals();
    println!("{} events were published", arrivals.len());
    assert!(!arrivals.is_empty());
    let interrupted = interruptions(namespace).await;
    assert_eq!(repeats(&arrivals), 0, "published twice; {interrupted:#?}");
    audit::assert_clean(namespace).await;
    leave_to_chart(namespace).await;
}

#[tokio::test]
async fn a_broker_that_is_away_is_told_and_adds_no_relay_however_long_events_wait_and_its_return_is_seen()
 {
    let namespace = shop().await;
    leave_slow_relays_to_operator(namespace).await;
    let visitors = Visitors::come_ordering(namespace, 5_100_000, Duration::from_millis(500)).await;
    let before = until(namespace, "the relays are ready", RELAY, |relay| {
        condition(relay, "Ready")["status"] == "True"
    })
    .await;
    scale_broker(namespace, "--replicas=0").await;
    let told = until(namespace, "events wait far too long", RELAY, |relay| {
        let oldest = relay["status"]["oldestAgeMilliseconds"].as_i64();
        oldest.is_some_and(|oldest| oldest > FAR_TOO_OLD_MILLISECONDS)
    })
    .await;
    show(namespace).await;
    // Meanwhile the broker comes back, whatever is found wrong.
    scale_broker(namespace, "--replicas=1").await;
    assert!(told["status"]["backlog"].as_i64() > Some(0), "{told:#}");
    assert_eq!(
        told["status"]["replicas"], before["status"]["replicas"],
        "{told:#}"
    );
    assert_eq!(
        told["status"]["lastDecision"],
        before["status"]["lastDecision"]
    );
    let why = condition(&told, "BrokerUnavailable");
    assert_eq!(
        (&why["status"], &why["reason"]),
        (&"True".into(), &"Unreachable".into()),
        "{told:#}"
    );
    let words = why["message"].as_str().unwrap();
    assert!(words.contains("no connection to the broker"), "{words}");
    until(namespace, "the broker is back", RELAY, |relay| {
        let oldest = relay["status"]["oldestAgeMilliseconds"].as_i64();
        condition(relay, "BrokerUnavailable")["status"] == "False"
            && condition(relay, "Ready")["status"] == "True"
            && oldest.is_some_and(|oldest| oldest < TARGET_AGE_MILLISECONDS)
    })
    .await;
    visitors.see_orders_end().await;
    visitors.leave().await;
    audit::assert_clean(namespace).await;
    leave_to_chart(namespace).await;
}

/// Sends customers until they are too many for one relay.
async fn come_until_relays_are_added(namespace: &Namespace) -> Vec<Visitors<'_>> {
    let mut parties = Vec::new();
    for first_user in (5_000_000..).step_by(1_000).take(PARTIES_MAX) {
        parties.push(Visitors::come_ordering(namespace, first_user, ORDER_EVERY).await);
        let added = poll_for(MORE_COME_AFTER, async || {
            let relay = namespace.get(&RELAY).await;
            (relay["status"]["replicas"].as_i64() >= Some(2)).then_some(())
        });
        if added.await.is_some() {
            return parties;
        }
    }
    panic!("one relay was enough for {PARTIES_MAX} times ten customers");
}

/// How many orders all of them have placed.
async fn placed(parties: &[Visitors<'_>]) -> u64 {
    let progress = join_all(parties.iter().map(Visitors::progress)).await;
    progress.iter().map(|seen| seen.placed).sum()
}

async fn scale_broker(namespace: &Namespace, replicas: &str) {
    namespace
        .kubectl(&["scale", "statefulset/gozon-deps-rabbitmq", replicas])
        .await;
}

/// Upgrades the shop so that an `OutboxRelay` scales the relays of the orders, which are slow, and of which there is one.
async fn leave_slow_relays_to_operator(namespace: &Namespace) {
    let mut values = this_version();
    values["roles"] = json!({"relayOrders": {
        "outboxRelay": {
            "enabled": true, "minReplicas": 1, "maxReplicas": 4,
            "targetAgeSeconds": TARGET_AGE_MILLISECONDS / 1_000, "scaleDownStabilisationSeconds": 30,
        },
        "resources": {"requests": {"cpu": "10m"}, "limits": {"cpu": "20m"}},
        "settings": {"GOZON_EVENTS_PER_MESSAGE": 1},
    }});
    upgrade(namespace, &[], &values).await;
    // The operator would go there too, after a while.
    namespace
        .kubectl(&["scale", "deployment/gozon-relay-orders", "--replicas=1"])
        .await;
    until(namespace, "one relay has all lanes", RELAY, |relay| {
        relay["status"]["replicas"] == 1 && shares(relay).len() == 1
    })
    .await;
}

/// The relays are again as many and as fast as those of other tests.
async fn leave_to_chart(namespace: &Namespace) {
    // Their number has been somebody else's.
    upgrade(namespace, &["--force-conflicts"], &this_version()).await;
}

async fn upgrade(namespace: &Namespace, options: &[&str], values: &Value) {
    let kind = ["--values=charts/gozon/values-kind.yaml"];
    namespace
        .install(SHOP, &[&kind[..], options].concat(), values)
        .await;
}

/// What the relays say of leases and connections that they lost, which is another reason to publish something twice.
async fn interruptions(namespace: &Namespace) -> Vec<String> {
    let relays = "--selector=app.kubernetes.io/component in (relay-orders,relay-payments)";
    let said = namespace.kubectl(&["logs", relays, "--tail=-1"]).await;
    let lines = said
        .lines()
        .filter(|line| line.contains("the relay was interrupted"));
    lines.map(str::to_owned).collect()
}

/// How many lanes each relay has.
fn shares(relay: &Value) -> BTreeMap<&str, i64> {
    let lanes = relay["status"]["lanes"].as_array().into_iter().flatten();
    lanes
        .map(|share| {
            (
                share["owner"].as_str().unwrap(),
                share["lanes"].as_i64().unwrap(),
            )
        })
        .collect()
}

/// Lanes that were given up have none until they are taken.
fn all_lanes_have_owners(relay: &Value) -> bool {
    shares(relay).values().sum::<i64>() == LANES
}

/// Prints what a person sees.
async fn show(namespace: &Namespace) {
    println!(
        "{}",
        namespace.kubectl(&["get", "outboxrelays,redrives"]).await
    );
}
