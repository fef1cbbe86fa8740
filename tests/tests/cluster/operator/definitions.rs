//! The definitions: what they refuse, and that neither an upgrade nor an uninstall of the operator takes a resource away.

use serde_json::{Value, json};

use super::{OPERATOR, shop, values};
use crate::{commands::run, namespace::Namespace};

#[tokio::test]
async fn what_makes_no_sense_is_refused_in_words() {
    let namespace = shop().await;
    let relays = |change: Value| {
        let mut spec = json!({"service": "order", "scaleTargetRef": {"name": "relays"}});
        merge(&mut spec, &change);
        ("OutboxRelay", spec)
    };
    let redrive = |change: Value| {
        let mut spec = json!({"service": "payment"});
        merge(&mut spec, &change);
        ("Redrive", spec)
    };
    for ((kind, spec), words) in [
        (relays(json!({"maxReplicas": 65})), "an outbox has 64 lanes"),
        (
            relays(json!({"minReplicas": 0})),
            "with no relay nothing is ever published",
        ),
        (
            relays(json!({"minReplicas": 9})),
            "minReplicas is larger than maxReplicas",
        ),
        (relays(json!({"service": "billing"})), "Unsupported value"),
        (
            redrive(json!({"filter": {"reason": "whim"}})),
            "filter.reason is none of malformed",
        ),
        (
            redrive(json!({"limit": 0})),
            "limit is not between 1 and 1000",
        ),
        (redrive(json!({"rate": 1})), "unknown field"),
    ] {
        let refusal = create(namespace, kind, "refused", &spec)
            .await
            .expect_err(words);
        assert!(refusal.contains(words), "{refusal}");
    }
    create(
        namespace,
        "Redrive",
        "fixed",
        &json!({"service": "order", "dryRun": true}),
    )
    .await
    .unwrap();
    let patch = [
        "patch",
        "redrive",
        "fixed",
        "--type=merge",
        "--patch",
        r#"{"spec":{"dryRun":false}}"#,
    ];
    let arguments = [&["--namespace", namespace.name][..], &patch].concat();
    let refusal = run("kubectl", &arguments, "").await.unwrap_err();
    assert!(refusal.contains("create another one"), "{refusal}");
    namespace.kubectl(&["delete", "redrive", "fixed"]).await;
}

#[tokio::test]
async fn an_upgrade_and_an_uninstall_leave_every_resource_and_its_definition() {
    let namespace = shop().await;
    let spec = json!({"service": "order", "dryRun": true});
    create(namespace, "Redrive", "stays", &spec).await.unwrap();
    let id = async || {
        let redrive = namespace.get(&["redrive", "stays"]).await;
        redrive["metadata"]["uid"].clone()
    };
    let before = id().await;
    // An older version knew less: an upgrade brings what it lacks, resources in place.
    let without = r#"[{"op": "remove", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/reason"}]"#;
    let patch = [
        "patch",
        "customresourcedefinition",
        "redrives.gozon.io",
        "--type=json",
        "--patch",
        without,
    ];
    namespace.kubectl(&patch).await;
    namespace
        .install(OPERATOR, &["--force-conflicts"], &values())
        .await;
    let explained = namespace.kubectl(&["explain", "redrive.spec.reason"]).await;
    assert!(explained.contains("operators' log"), "{explained}");
    assert_eq!(id().await, before);
    namespace.helm(&["uninstall", OPERATOR, "--wait"]).await;
    assert_eq!(id().await, before);
    for kind in ["deployments", "roles", "leases", "serviceaccounts"] {
        let selector = ["--selector", "app.kubernetes.io/instance=gozon-operator"];
        let left = namespace.get(&[&[kind][..], &selector].concat()).await;
        assert_eq!(left["items"], json!([]), "{kind}");
    }
    namespace.install(OPERATOR, &[], &values()).await;
    namespace.kubectl(&["delete", "redrive", "stays"]).await;
}

async fn create(
    namespace: &Namespace,
    kind: &str,
    name: &str,
    spec: &Value,
) -> Result<String, String> {
    let object = json!({
        "apiVersion": "gozon.io/v1alpha1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace.name},
        "spec": spec,
    });
    let create = ["create", "--validate=strict", "--filename=-"];
    run("kubectl", &create, &object.to_string()).await
}

fn merge(into: &mut Value, change: &Value) {
    for (field, value) in change.as_object().unwrap() {
        into[field] = value.clone();
    }
}
