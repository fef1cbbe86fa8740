//! Pods that are taken away: deleted at random, and evicted from a node.

use std::time::Duration;

use serde_json::{Value, json};
use tests::poll_until;

use crate::{
    audit,
    commands::{kubectl, nodes, run},
    inside,
    namespace::Namespace,
    visitors::Visitors,
};

/// So many pods are deleted.
const DELETED: usize = 12;

/// Often enough that a pod seldom goes without a request on its way.
const ORDER_EVERY: Duration = Duration::from_millis(100);

/// Another pod has taken the place of one that was taken away, within this time.
const REPLACED_WITHIN: Duration = Duration::from_mins(3);

const PODS_OF_THE_SHOP: &str = "app.kubernetes.io/name=gozon,app.kubernetes.io/component!=migrate,app.kubernetes.io/component!=smoke";

#[tokio::test]
async fn pods_deleted_at_random_under_load_cost_no_order() {
    let namespace = inside::shop().await;
    let visitors = Visitors::come_ordering(namespace, 2_000_000, ORDER_EVERY).await;
    for turn in 0..DELETED {
        let pods = ready_pods(namespace, PODS_OF_THE_SHOP).await;
        let pod = &pods[fastrand::usize(..pods.len())];
        // Every other one has no time to say good-bye.
        let how: &[&str] = match turn % 2 {
            0 => &["--wait=false"],
            _ => &["--wait=false", "--grace-period=0", "--force"],
        };
        namespace
            .kubectl(&[&["delete", "pod", pod], how].concat())
            .await;
        let before = visitors.progress().await.ended;
        poll_until("orders go on", REPLACED_WITHIN, async || {
            (visitors.progress().await.ended > before).then_some(())
        })
        .await;
    }
    all_are_ready(namespace).await;
    visitors.see_orders_end().await;
    visitors.leave().await;
    audit::assert_clean(namespace).await;
}

#[tokio::test]
async fn an_eviction_beyond_the_budget_is_refused_and_after_uncordon_every_order_ends() {
    const ORDER: &str = "app.kubernetes.io/name=gozon,app.kubernetes.io/component=order";
    let namespace = inside::shop().await;
    all_are_ready(namespace).await;
    let visitors = Visitors::come(namespace, 3_000_000).await;
    let pods = ready_pods(namespace, ORDER).await;
    assert_eq!(pods.len(), 2, "{pods:?}");

    for node in nodes().await {
        kubectl(&["cordon", &node]).await;
    }
    let first = evict(namespace, &pods[0]).await;
    let second = evict(namespace, &pods[1]).await;
    // Whatever is found wrong, other tests need the node.
    for node in nodes().await {
        kubectl(&["uncordon", &node]).await;
    }

    first.expect("the budget has one to give");
    let refusal = second.expect_err("the budget had only one to give");
    assert!(refusal.contains("disruption budget"), "{refusal}");
    all_are_ready(namespace).await;
    visitors.see_orders_end().await;
    visitors.leave().await;
    audit::assert_clean(namespace).await;
}

/// Asks for what `kubectl drain` asks for.
async fn evict(namespace: &Namespace, pod: &str) -> Result<String, String> {
    let Namespace { name, .. } = namespace;
    let path = format!("/api/v1/namespaces/{name}/pods/{pod}/eviction");
    let eviction = json!({
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": name},
    });
    run(
        "kubectl",
        &["create", "--raw", &path, "--filename=-"],
        &eviction.to_string(),
    )
    .await
}

async fn ready_pods(namespace: &Namespace, selector: &str) -> Vec<String> {
    let pods = namespace.pods(selector).await;
    let ready = pods.iter().filter(|pod| is_ready(pod));
    ready
        .map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned())
        .collect()
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    pod["metadata"]["deletionTimestamp"].is_null()
        && conditions.any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

/// Waits until every role has all its replicas.
async fn all_are_ready(namespace: &Namespace) {
    poll_until("every role has its replicas", REPLACED_WITHIN, async || {
        let deployments = namespace.get(&["deployments"]).await;
        let deployments = deployments["items"].as_array()?;
        let full = |deployment: &Value| {
            deployment["status"]["readyReplicas"] == deployment["spec"]["replicas"]
        };
        deployments.iter().all(full).then_some(())
    })
    .await;
}
