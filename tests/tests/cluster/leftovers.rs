//! What is left of a release when it is uninstalled.

use std::{collections::BTreeSet, time::Duration};

use serde_json::json;
use tests::poll_until;

use crate::{
    STAND_INS,
    commands::kubectl,
    inside::{DEPS, SHOP, this_version},
    namespace::Namespace,
};

const GONE_WITHIN: Duration = Duration::from_mins(2);

/// What a cluster puts into every namespace, and what tells of the past.
const OF_THE_CLUSTER: [&str; 3] = [
    "serviceaccount/default",
    "configmap/kube-root-ca.crt",
    "event",
];

#[tokio::test]
async fn of_the_charts_nothing_is_left_but_the_claims_that_the_notes_name() {
    let namespace = Namespace::create("gozon-uninstalled").await;
    let stand_in = json!({"repository": format!("{STAND_INS}/none"), "tag": "1"});
    // None of its pods ever starts, which is of no matter here.
    let values = json!({
        "imagePullPolicy": "Never",
        "images": {"postgres": stand_in, "rabbitmq": stand_in, "prometheus": stand_in, "grafana": stand_in,
                   "collector": stand_in, "traces": stand_in},
    });
    let notes = namespace.begin_install(DEPS, &[], &values).await;
    assert!(notes.contains("delete persistentvolumeclaim"), "{notes}");
    let kind = ["--values=charts/gozon/values-kind.yaml"];
    namespace.begin_install(SHOP, &kind, &this_version()).await;
    poll_until("the claims are there", GONE_WITHIN, async || {
        let all = of(&namespace).await;
        all.contains("persistentvolumeclaim/data-gozon-deps-postgres-0")
            .then_some(())
    })
    .await;

    namespace.helm(&["uninstall", SHOP]).await;
    namespace.helm(&["uninstall", DEPS]).await;

    let claims = ["postgres", "rabbitmq"]
        .map(|part| format!("persistentvolumeclaim/data-gozon-deps-{part}-0"));
    assert_left(&namespace, &BTreeSet::from(claims)).await;
}

/// Waits until there is nothing else in the namespace.
pub(crate) async fn assert_left(namespace: &Namespace, expected: &BTreeSet<String>) {
    let mut last = BTreeSet::new();
    let gone = tests::poll::poll_for(GONE_WITHIN, async || {
        last = of(namespace).await;
        (last == *expected).then_some(())
    })
    .await;
    assert!(gone.is_some(), "left: {last:#?}, expected: {expected:#?}");
}

/// Everything in a namespace that the cluster did not put there, as `kind/name`.
pub(crate) async fn of(namespace: &Namespace) -> BTreeSet<String> {
    let kinds = kubectl(&[
        "api-resources",
        "--namespaced",
        "--verbs=list",
        "--output=name",
    ])
    .await;
    // Metrics of pods are no objects.
    let kinds: Vec<_> = kinds
        .lines()
        .filter(|kind| !kind.ends_with("metrics.k8s.io"))
        .collect();
    let names = namespace
        .kubectl(&[
            "get",
            &kinds.join(","),
            "--output=name",
            "--ignore-not-found",
        ])
        .await;
    names
        .lines()
        .filter(|name| {
            OF_THE_CLUSTER
                .iter()
                .all(|theirs| !name.starts_with(theirs))
        })
        .map(str::to_owned)
        .collect()
}
