//! What the pods of the shop may not do.

use serde_json::{Value, json};

use crate::{commands::run, inside, namespace::restricted};

#[tokio::test]
async fn every_container_runs_as_nobody_on_a_root_that_it_cannot_write() {
    let namespace = inside::shop().await;
    let pods = namespace.pods("app.kubernetes.io/part-of=gozon").await;
    assert!(pods.len() >= 10, "{} pods", pods.len());
    for pod in pods {
        let name = &pod["metadata"]["name"];
        let spec = &pod["spec"];
        assert_eq!(spec["securityContext"]["runAsNonRoot"], true, "{name}");
        assert_eq!(spec["securityContext"]["runAsUser"], 65532, "{name}");
        for container in spec["containers"].as_array().unwrap() {
            let security = &container["securityContext"];
            assert_eq!(security["readOnlyRootFilesystem"], true, "{name}");
            assert_eq!(security["allowPrivilegeEscalation"], false, "{name}");
            assert_eq!(security["capabilities"], json!({"drop": ["ALL"]}), "{name}");
        }
        for volume in spec["volumes"].as_array().into_iter().flatten() {
            let kinds = ["secret", "configMap", "projected"];
            assert!(
                kinds.iter().any(|kind| volume[kind].is_object()),
                "{name}: {volume}"
            );
        }
    }
}

#[tokio::test]
async fn a_pod_that_is_not_restricted_is_refused_in_the_namespace_of_the_shop() {
    let namespace = inside::shop().await;
    let pod = |security: Value| {
        json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "stranger", "namespace": namespace.name},
            "spec": {"containers": [{"name": "stranger", "image": "stranger", "securityContext": security}]},
        })
        .to_string()
    };
    let dry_run = ["create", "--dry-run=server", "--filename=-"];
    run("kubectl", &dry_run, &pod(restricted())).await.unwrap();
    let mut may_be_root = restricted();
    may_be_root["runAsNonRoot"] = false.into();
    let refusal = run("kubectl", &dry_run, &pod(may_be_root))
        .await
        .expect_err("PodSecurity is enforced");
    assert!(refusal.contains("runAsNonRoot"), "{refusal}");
}
