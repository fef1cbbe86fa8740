//! `gozon audit` as a pod in the shop's namespace, with the Secrets that the shop has.

use serde_json::{Value, json};

use crate::{
    given,
    namespace::{Namespace, restricted},
};

/// Audits a shop at rest: all promises hold, and no order is undecided.
pub(crate) async fn assert_clean(namespace: &Namespace) {
    let url = |database: &str| {
        json!({
            "name": format!("GOZON_{}_AUDIT_URL", database.to_uppercase()),
            "valueFrom": {"secretKeyRef": {"name": format!("gozon-{database}-audit"), "key": "uri"}},
        })
    };
    let log = namespace
        .run_pod(json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "audit"},
            "spec": {
                "restartPolicy": "Never",
                "automountServiceAccountToken": false,
                "containers": [{
                    "name": "audit",
                    "image": given("GOZON_IMAGE"),
                    "imagePullPolicy": "Never",
                    "args": ["audit", "--json"],
                    "env": [url("orders"), url("payments")],
                    "securityContext": restricted(),
                }],
            },
        }))
        .await;
    // Log lines stand before the report, which is the only object over several lines or the last line.
    let report: Value = serde_json::from_str(&log[log.find('{').unwrap()..]).unwrap();
    assert_eq!(report["verdict"], "holds", "{report:#}");
    assert_eq!(report["seen"]["new"], 0, "{report:#}");
}
