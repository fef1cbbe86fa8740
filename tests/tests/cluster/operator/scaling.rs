//! Relays are scaled by how long events wait, and not by a broker that is away.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::poll_until;

use super::{SOON, condition, query, shop, until};
use crate::{
    audit,
    inside::{SHOP, this_version},
    namespace::Namespace,
    visitors::Visitors,
};

const RELAY: [&str; 2] = ["outboxrelay", "gozon-relay-orders"];
const PODS: &str = "app.kubernetes.io/component=relay-orders";

/// A relay that publishes event by event, on a fiftieth of a processor, cannot keep up with so many.
const ORDER_EVERY: std::time::Duration = std::time::Duration::from_millis(20);

#[tokio::test]
async fn relays_come_with_the_load_and_go_with_it_and_no_event_is_published_twice_for_that() {
    let namespace = shop().await;
    let before = pods(namespace).await;
    leave_to_operator(namespace, json!({"minReplicas": 2}), &json!({})).await;
    let relay = until(namespace, "the operator has looked", RELAY, |relay| {
        condition(relay, "Ready")["status"] == "True"
    })
    .await;
    assert_eq!(relay["status"]["replicas"], 2, "{relay:#}");
    assert_eq!(
        pods(namespace).await,
        before,
        "who scales them is no reason to restart them"
    );

    let slow = json!({
        "resources": {"requests": {"cpu": "10m"}, "limits": {"cpu": "20m"}},
        "settings": {"GOZON_EVENTS_PER_MESSAGE": 1},
    });
    leave_to_operator(namespace, json!({"minReplicas": 1}), &slow).await;
    let repeated = count_repeated(namespace).await;
    let visitors = Visitors::come_ordering(namespace, 5_000_000, ORDER_EVERY).await;
    let grown = until(namespace, "relays are added", RELAY, |relay| {
        relay["status"]["replicas"].as_i64() >= Some(3)
    })
    .await;
    println!("{:#}", grown["status"]["lastDecision"]);
    visitors.leave().await;
    until(namespace, "the oldest event is young", RELAY, |relay| {
        relay["status"]["oldestAgeMilliseconds"].as_i64() < Some(2_000)
            && relay["status"]["backlog"] == 0
    })
    .await;
    println!(
        "{}",
        namespace.kubectl(&["get", "outboxrelays,redrives"]).await
    );
    let shrunk = poll_until("relays are taken away again", SOON * 2, async || {
        let relay = namespace.get(&RELAY).await;
        let lanes = relay["status"]["lanes"].as_array()?;
        (relay["status"]["replicas"] == 1 && lanes.len() == 1 && lanes[0]["lanes"] == 64)
            .then_some(relay)
    })
    .await;
    assert_eq!(condition(&shrunk, "BrokerUnavailable")["status"], "False");
    assert_eq!(count_repeated(namespace).await, repeated);
    audit::assert_clean(namespace).await;
}

#[tokio::test]
async fn a_broker_that_is_away_is_told_and_adds_no_relay_and_its_return_is_seen() {
    let namespace = shop().await;
    leave_to_operator(namespace, json!({"minReplicas": 2}), &json!({})).await;
    until(namespace, "the relays are ready", RELAY, |relay| {
        condition(relay, "Ready")["status"] == "True" && relay["status"]["replicas"] == 2
    })
    .await;
    scale_broker(namespace, "--replicas=0").await;
    let told = until(namespace, "the broker is missed", RELAY, |relay| {
        condition(relay, "BrokerUnavailable")["status"] == "True"
    })
    .await;
    assert_eq!(
        condition(&told, "BrokerUnavailable")["reason"],
        "Unreachable"
    );
    assert_eq!(told["status"]["replicas"], 2, "{told:#}");
    scale_broker(namespace, "--replicas=1").await;
    until(namespace, "the broker is back", RELAY, |relay| {
        condition(relay, "BrokerUnavailable")["status"] == "False"
            && condition(relay, "Ready")["status"] == "True"
    })
    .await;
}

async fn scale_broker(namespace: &Namespace, replicas: &str) {
    namespace
        .kubectl(&["scale", "statefulset/gozon-deps-rabbitmq", replicas])
        .await;
}

/// Upgrades the shop so that an `OutboxRelay` scales the relays of the orders.
async fn leave_to_operator(namespace: &Namespace, limits: Value, relays: &Value) {
    let mut values = this_version();
    let mut role = relays.clone();
    role["outboxRelay"] = json!({
        "enabled": true, "maxReplicas": 4, "targetAgeSeconds": 2, "backlogPerReplica": 500,
        "scaleDownStabilisationSeconds": 30,
    });
    for (name, value) in limits.as_object().unwrap() {
        role["outboxRelay"][name] = value.clone();
    }
    values["roles"] = json!({"relayOrders": role});
    let kind = ["--values=charts/gozon/values-kind.yaml"];
    namespace.install(SHOP, &kind, &values).await;
}

/// How many events were published more than once, as the relays' own books have it.
async fn count_repeated(namespace: &Namespace) -> String {
    let sql = "select coalesce(sum(occurrences - 1), 0) from (
        select count(*) as occurrences
        from messaging.publish_log, unnest(event_ids) as event
        where outcome = 'confirmed' group by event) as published";
    query(namespace, "orders", sql).await
}

/// The relays there are, by their ids: one that restarts is another.
async fn pods(namespace: &Namespace) -> BTreeSet<String> {
    let pods = namespace.pods(PODS).await;
    let ids = pods.iter().map(|pod| pod["metadata"]["uid"].to_string());
    ids.collect()
}
