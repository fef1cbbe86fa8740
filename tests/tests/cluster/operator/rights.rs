//! What the operator may do and what it does are the same.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::poll_until;

use super::{OPERATOR, PODS, SOON, leader, shop};
use crate::{commands::run, namespace::Namespace};

/// A verb, a group and a resource, as a Role names them.
type Call = (String, String, String);

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
    let rules = rules(namespace).await;
    let allowed: BTreeSet<Call> = rules.iter().map(|(call, _)| call.clone()).collect();
    let used = poll_until("every verb is used", SOON, async || {
        let used = used(namespace).await;
        allowed.is_subset(&used).then_some(used)
    })
    .await;
    assert_eq!(used, allowed, "a call that the Role does not name");
    assert_names_are_used_and_no_others_allowed(namespace, &rules).await;
    namespace
        .kubectl(&["delete", "outboxrelay", "rights"])
        .await;
    let scale = ["scale", "deployment/gozon-relay-payments", "--replicas=2"];
    namespace.kubectl(&scale).await;
}

/// What is allowed for some names alone: the only such is the Lease, which is renewed, and no other Lease may be.
async fn assert_names_are_used_and_no_others_allowed(
    namespace: &Namespace,
    rules: &[(Call, Vec<String>)],
) {
    let mut named = BTreeSet::new();
    for ((verb, group, resource), names) in rules.iter().filter(|(_, names)| !names.is_empty()) {
        for name in names {
            named.insert(format!("{resource}.{group}/{name}"));
        }
        let of = |name: &str| format!("{resource}.{group}/{name}");
        assert!(
            may(namespace, verb, &of(&names[0])).await,
            "{verb} {resource}"
        );
        assert!(
            !may(namespace, verb, &of("another")).await,
            "{verb} {resource}"
        );
    }
    let lease = format!("leases.coordination.k8s.io/{OPERATOR}");
    assert_eq!(named, BTreeSet::from([lease]));
    let renewed = async || {
        let lease = namespace.get(&["lease", OPERATOR]).await;
        lease["spec"]["renewTime"].clone()
    };
    let before = renewed().await;
    poll_until("the lease is renewed", SOON, async || {
        (renewed().await != before).then_some(())
    })
    .await;
}

/// Whether the operators may do this, as the API server has it.
async fn may(namespace: &Namespace, verb: &str, what: &str) -> bool {
    let operator = format!("--as=system:serviceaccount:{}:{OPERATOR}", namespace.name);
    let ask = [
        "--namespace",
        namespace.name,
        "auth",
        "can-i",
        verb,
        what,
        &operator,
    ];
    // It says no by a failure, too.
    run("kubectl", &ask, "")
        .await
        .is_ok_and(|said| said.trim() == "yes")
}

/// What the Role allows, each with the names that it is allowed for; none are all.
async fn rules(namespace: &Namespace) -> Vec<(Call, Vec<String>)> {
    let role = namespace.get(&["role", OPERATOR]).await;
    let texts = |list: &Value| -> Vec<String> {
        let list = list.as_array().into_iter().flatten();
        list.map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let mut calls = Vec::new();
    for rule in role["rules"].as_array().unwrap() {
        for group in texts(&rule["apiGroups"]) {
            for resource in texts(&rule["resources"]) {
                calls.extend(texts(&rule["verbs"]).into_iter().map(|verb| {
                    let call = (verb, group.clone(), resource.clone());
                    (call, texts(&rule["resourceNames"]))
                }));
            }
        }
    }
    calls
}

/// What all operators have called since they started, none of it forbidden.
async fn used(namespace: &Namespace) -> BTreeSet<Call> {
    let mut calls = BTreeSet::new();
    for pod in namespace.pods(PODS).await {
        let name = pod["metadata"]["name"].as_str().unwrap();
        for line in leader::metrics(namespace, name).await.unwrap().lines() {
            let Some(labels) = line.strip_prefix("gozon_operator_api_calls_total{") else {
                continue;
            };
            let of = |label: &str| {
                let (_, rest) = labels.split_once(&format!("{label}=\"")).unwrap();
                rest.split('"').next().unwrap().to_owned()
            };
            assert_ne!(of("status"), "403", "{line}");
            calls.insert((of("verb"), of("group"), of("resource")));
        }
    }
    calls
}
