//! The operator beside the shared shop: what it does with relays, dead letters and its own kind.

mod definitions;
mod leader;
mod measures;
mod redriving;
mod rights;
mod scaling;
mod switching;

use std::time::Duration;

use serde_json::{Value, json};
use tests::poll_until;
use tokio::sync::OnceCell;

use crate::{commands::kubectl, given, inside, namespace::Namespace};

/// The release of the operator, which is also the name of its Lease, its Role and its Deployment.
const OPERATOR: &str = "gozon-operator";

/// The pods of the operator.
const PODS: &str = "app.kubernetes.io/name=gozon-operator";

/// What an operator does shows within this time.
const SOON: Duration = Duration::from_mins(3);

/// The shared shop, with an operator.
async fn shop() -> &'static Namespace {
    static INSTALLED: OnceCell<()> = OnceCell::const_new();
    let namespace = inside::shop().await;
    INSTALLED
        .get_or_init(async || {
            // They outlive their release, as they should, and belong to that of an earlier run.
            forget_definitions().await;
            namespace.install(OPERATOR, &[], &values()).await;
        })
        .await;
    namespace
}

fn values() -> Value {
    let image = given("GOZON_IMAGE");
    let (repository, tag) = image.rsplit_once(':').unwrap();
    json!({"image": {"repository": repository, "tag": tag, "pullPolicy": "Never"}})
}

/// Deletes the definitions that a run has left here, and no others: with them would go the resources of whoever they belong to.
async fn forget_definitions() {
    for definition in ["outboxrelays.gozon.io", "redrives.gozon.io"] {
        let get = [
            "get",
            "customresourcedefinition",
            definition,
            "--ignore-not-found",
            "--output=json",
        ];
        let found = kubectl(&get).await;
        if found.is_empty() {
            continue;
        }
        let found: Value = serde_json::from_str(&found).unwrap();
        let release = &found["metadata"]["annotations"]["meta.helm.sh/release-namespace"];
        assert_eq!(
            release,
            inside::NAMESPACE,
            "{definition} is somebody else's: these tests want a cluster of their own"
        );
        kubectl(&["delete", "customresourcedefinition", definition]).await;
    }
}

/// Waits until a resource is as it has to be, and gives it.
async fn until(
    namespace: &Namespace,
    what: &str,
    resource: [&str; 2],
    is_so: impl Fn(&Value) -> bool,
) -> Value {
    poll_until(what, SOON, async || {
        let object = namespace.get(&resource).await;
        is_so(&object).then_some(object)
    })
    .await
}

/// The status of a condition.
fn condition<'v>(object: &'v Value, kind: &str) -> &'v Value {
    let mut conditions = object["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten();
    let found = conditions.find(|condition| condition["type"] == kind);
    found.unwrap_or(&Value::Null)
}

/// What a database says, asked as its superuser.
async fn query(namespace: &Namespace, database: &str, sql: &str) -> String {
    let psql = ["exec", "gozon-deps-postgres-0", "--", "psql"];
    let how = [
        "--host=/run/postgres",
        "--username=postgres",
        "--no-align",
        "--tuples-only",
        "--quiet",
    ];
    let what = ["--dbname", database, "--command", sql];
    let said = namespace.kubectl(&[&psql[..], &how, &what].concat()).await;
    said.trim().to_owned()
}
