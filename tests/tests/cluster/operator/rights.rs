//! What the operator may do and what it does are the same.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::poll_until;

use super::{OPERATOR, PODS, SOON, shop};
use crate::{commands::kubectl, namespace::Namespace};

/// A verb and a resource, as a Role names them.
type Call = (String, String);

#[tokio::test]
async fn every_call_is_allowed_by_its_role_and_every_verb_of_its_role_is_used() {
    let namespace = shop().await;
    // Something of everything: relays to scale, a redrive that ends and is removed after its time to live.
    let relays = json!({"service": "payment", "scaleTargetRef": {"name": "gozon-relay-payments"}, "minReplicas": 3});
    let redrive = json!({"service": "payment", "dryRun": true, "ttlSecondsAfterFinished": 60});
    for (kind, spec) in [("OutboxRelay", relays), ("Redrive", redrive)] {
        let object = json!({
            "apiVersion": "gozon.io/v1alpha1", "kind": kind, "metadata": {"name": "rights"}, "spec": spec,
        });
        namespace.apply(object).await;
    }
    let allowed = allowed(namespace).await;
    let used = poll_until("every verb is used", SOON, async || {
        let used = used(namespace).await;
        allowed.is_subset(&used).then_some(used)
    })
    .await;
    assert_eq!(used, allowed, "a call that the Role does not name");
    namespace
        .kubectl(&["delete", "outboxrelay", "rights"])
        .await;
    let scale = ["scale", "deployment/gozon-relay-payments", "--replicas=2"];
    namespace.kubectl(&scale).await;
}

async fn allowed(namespace: &Namespace) -> BTreeSet<Call> {
    let role = namespace.get(&["role", OPERATOR]).await;
    let texts = |list: &Value| -> Vec<String> {
        let list = list.as_array().unwrap().iter();
        list.map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let mut calls = BTreeSet::new();
    for rule in role["rules"].as_array().unwrap() {
        for resource in texts(&rule["resources"]) {
            let verbs = texts(&rule["verbs"]).into_iter();
            calls.extend(verbs.map(|verb| (verb, resource.clone())));
        }
    }
    calls
}

/// What all operators have called since they started, none of it forbidden.
async fn used(namespace: &Namespace) -> BTreeSet<Call> {
    let mut calls = BTreeSet::new();
    for pod in namespace.pods(PODS).await {
        let (name, of) = (pod["metadata"]["name"].as_str().unwrap(), namespace.name);
        let path = format!("/api/v1/namespaces/{of}/pods/{name}:8081/proxy/metrics");
        for line in kubectl(&["get", "--raw", &path]).await.lines() {
            let Some(labels) = line.strip_prefix("gozon_operator_api_calls_total{") else {
                continue;
            };
            let of = |label: &str| {
                let (_, rest) = labels.split_once(&format!("{label}=\"")).unwrap();
                rest.split('"').next().unwrap().to_owned()
            };
            assert_ne!(of("status"), "403", "{line}");
            calls.insert((of("verb"), of("resource")));
        }
    }
    calls
}
