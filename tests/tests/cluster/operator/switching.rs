//! Who scales relays changes, and no relay notices.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{condition, shop, until};
use crate::{
    inside::{SHOP, this_version},
    namespace::Namespace,
};

const DEPLOYMENT: [&str; 2] = ["deployment", "gozon-relay-payments"];
const PODS: &str = "app.kubernetes.io/name=gozon,app.kubernetes.io/component=relay-payments";

/// The number there is suits whoever scales them.
fn limits() -> Value {
    json!({"enabled": true, "minReplicas": 2, "maxReplicas": 4})
}

#[tokio::test]
async fn from_a_fixed_number_to_an_outboxrelay_an_hpa_and_keda_and_back_no_relay_restarts() {
    let namespace = shop().await;
    let before = pods(namespace).await;
    assert_eq!(before.len(), 2, "{before:?}");

    upgrade(namespace, &[], json!({"outboxRelay": limits()})).await;
    let relay = ["outboxrelay", "gozon-relay-payments"];
    until(namespace, "the operator has looked", relay, |relay| {
        condition(relay, "Ready")["status"] == "True"
    })
    .await;
    assert_same(namespace, &before, "OutboxRelay").await;
    upgrade(namespace, &[], json!({"autoscaling": limits()})).await;
    let scaler = ["horizontalpodautoscaler", "gozon-relay-payments"];
    until(namespace, "the HPA has looked", scaler, |scaler| {
        condition(scaler, "AbleToScale")["status"] == "True"
    })
    .await;
    assert_same(namespace, &before, "HPA").await;
    upgrade(namespace, &[], json!({"scaledElsewhere": true})).await;
    assert_same(namespace, &before, "KEDA").await;
    // The number has been somebody else's.
    upgrade(namespace, &["--force-conflicts"], json!({})).await;
    assert_same(namespace, &before, "a fixed number").await;
}

/// Upgrades the shop so that its relays of the payments are scaled so, and by nothing else.
async fn upgrade(namespace: &Namespace, options: &[&str], scaled: Value) {
    let mut values = this_version();
    values["roles"] = json!({"relayPayments": scaled});
    let kind = ["--values=charts/gozon/values-kind.yaml"];
    let options = [&kind[..], options].concat();
    namespace.install(SHOP, &options, &values).await;
}

/// Neither were pods replaced, nor did a container in them start again, and there are to be as many as before.
async fn assert_same(namespace: &Namespace, before: &BTreeSet<String>, scaled_by: &str) {
    assert_eq!(pods(namespace).await, *before, "scaled by {scaled_by}");
    let deployment = namespace.get(&DEPLOYMENT).await;
    assert_eq!(deployment["spec"]["replicas"], 2, "scaled by {scaled_by}");
}

/// The relays there are, by what is another's after a restart.
async fn pods(namespace: &Namespace) -> BTreeSet<String> {
    let pods = namespace.pods(PODS).await;
    let ids = pods.iter().map(|pod| {
        let container = &pod["status"]["containerStatuses"][0];
        format!("{} {}", pod["metadata"]["uid"], container["containerID"])
    });
    ids.collect()
}
