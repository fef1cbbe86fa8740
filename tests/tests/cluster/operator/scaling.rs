//! Relays are left to an operator, which does not scale them by a broker that is away.

use serde_json::json;

use super::{condition, shop, until};
use crate::{
    inside::{SHOP, this_version},
    namespace::Namespace,
};

const RELAY: [&str; 2] = ["outboxrelay", "gozon-relay-orders"];

#[tokio::test]
async fn a_broker_that_is_away_is_told_and_adds_no_relay_and_its_return_is_seen() {
    let namespace = shop().await;
    leave_to_operator(namespace).await;
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
async fn leave_to_operator(namespace: &Namespace) {
    let mut values = this_version();
    let scaled = json!({"enabled": true, "minReplicas": 2, "maxReplicas": 4});
    values["roles"] = json!({"relayOrders": {"outboxRelay": scaled}});
    let kind = ["--values=charts/gozon/values-kind.yaml"];
    namespace.install(SHOP, &kind, &values).await;
}
