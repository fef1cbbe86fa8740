//! Upgrades and rollbacks under load. The other version has a newer schema and other messages (`order::schema`,
//! `contracts::other_version`).

use crate::{
    audit, given,
    inside::{self, SHOP, with_image},
    namespace::Namespace,
    visitors::Visitors,
};

/// The promise: 99.9 % of the requests for an order are answered by one.
const FAILED_SHARE_MAX: f64 = 0.001;

#[tokio::test]
async fn an_upgrade_with_a_schema_change_and_the_way_back_cost_no_order() {
    let namespace = inside::shop().await;
    let before = revision(namespace).await;
    let visitors = Visitors::come(namespace, 1_000_000).await;

    let other = given("GOZON_OTHER_IMAGE");
    namespace
        .install(
            SHOP,
            &["--values=charts/gozon/values-kind.yaml"],
            &with_image(&other),
        )
        .await;
    assert_all_run(namespace, &other).await;
    let migration = namespace
        .kubectl(&[
            "logs",
            "--selector=app.kubernetes.io/component=migrate",
            "--tail=-1",
        ])
        .await;
    assert!(migration.contains("orders from version"), "{migration}");
    visitors.see_orders_end().await;

    namespace
        .helm(&["rollback", SHOP, &before, "--wait", "--timeout=300s"])
        .await;
    assert_all_run(namespace, &given("GOZON_IMAGE")).await;
    visitors.see_orders_end().await;

    let report = visitors.leave().await;
    assert!(report.failed_share() <= FAILED_SHARE_MAX, "{report:#?}");
    // Each order pod was replaced twice, and took its sockets with it.
    assert!(report.reopened > 0, "{report:#?}");
    assert_eq!(report.resumed, report.reopened, "{report:#?}");
    audit::assert_clean(namespace).await;
}

/// The number of the release's newest revision.
async fn revision(namespace: &Namespace) -> String {
    let history = namespace
        .helm(&["history", SHOP, "--max=1", "--output=json"])
        .await;
    let history: serde_json::Value = serde_json::from_str(&history).unwrap();
    history[0]["revision"].to_string()
}

/// Whatever serves in the shop is of this image; who is about to end may still be of another.
async fn assert_all_run(namespace: &Namespace, image: &str) {
    let shop = format!("--selector=app.kubernetes.io/instance={SHOP}");
    let deployments = namespace.get(&["deployments", &shop]).await;
    let deployments = deployments["items"].as_array().unwrap();
    assert!(!deployments.is_empty());
    for deployment in deployments {
        let name = &deployment["metadata"]["name"];
        let spec = &deployment["spec"];
        assert_eq!(
            spec["template"]["spec"]["containers"][0]["image"], image,
            "{name}"
        );
        let status = &deployment["status"];
        assert_eq!(status["updatedReplicas"], spec["replicas"], "{name}");
        assert_eq!(status["readyReplicas"], spec["replicas"], "{name}");
    }
}
