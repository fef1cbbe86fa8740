//! A shop with everything in the cluster: charts/gozon-deps with stand-ins for the images that no registry brings here, and
//! charts/gozon beside it. Most tests share it.

use serde_json::{Value, json};
use tests::RawBroker;
use tokio::sync::OnceCell;
use url::Url;

use crate::{STAND_INS, given, namespace::Namespace, volumes};

/// The release of the databases and the broker.
pub(crate) const DEPS: &str = "gozon-deps";

/// The release of the shop.
pub(crate) const SHOP: &str = "gozon";

/// Where both are.
pub(crate) const NAMESPACE: &str = "gozon-inside";

/// The shared shop, installed when it is first asked for.
pub(crate) async fn shop() -> &'static Namespace {
    static SHARED: OnceCell<Namespace> = OnceCell::const_new();
    SHARED.get_or_init(install).await
}

#[tokio::test]
async fn both_charts_together_are_a_working_shop() {
    let namespace = shop().await;
    namespace.helm(&["test", SHOP]).await;
    for claim in ["data-gozon-deps-postgres-0", "data-gozon-deps-rabbitmq-0"] {
        let claim = namespace.get(&["persistentvolumeclaim", claim]).await;
        assert_eq!(claim["status"]["phase"], "Bound", "{claim:#}");
    }
}

async fn install() -> Namespace {
    volumes::make(&format!("{NAMESPACE}/{DEPS}")).await;
    let namespace = Namespace::create(NAMESPACE).await;
    namespace.install(DEPS, &[], &deps_values()).await;
    namespace
        .install(
            SHOP,
            &["--values=charts/gozon/values-kind.yaml"],
            &this_version(),
        )
        .await;
    namespace
}

/// The broker of a shop, with its owner's rights.
pub(crate) async fn broker(namespace: &Namespace) -> RawBroker {
    let template = "--output=go-template={{.data.connection_string | base64decode}}";
    let owner = ["get", "secret", "gozon-broker-owner", template];
    let mut url: Url = namespace.kubectl(&owner).await.parse().unwrap();
    let pod = namespace.get(&["pod", "gozon-deps-rabbitmq-0"]).await;
    // Its name is known inside alone.
    url.set_host(pod["status"]["podIP"].as_str()).unwrap();
    RawBroker::connect(url.as_str()).await
}

/// Images from the node itself; nothing that there is no stand-in for.
fn deps_values() -> Value {
    let stand_in = |name: &str| json!({"repository": format!("{STAND_INS}/{name}"), "tag": "1"});
    let by_hand = json!({"persistence": {"storageClass": "-", "size": volumes::SIZE}});
    json!({
        "imagePullPolicy": "Never",
        "images": {
            "postgres": stand_in("postgres"),
            "rabbitmq": stand_in("rabbitmq"),
        },
        "postgres": by_hand,
        "rabbitmq": by_hand,
        "prometheus": {"enabled": false},
        "grafana": {"enabled": false},
        "collector": {"enabled": false},
        "traces": {"enabled": false},
    })
}

/// The shop of this checkout.
pub(crate) fn this_version() -> Value {
    with_image(&given("GOZON_IMAGE"))
}

/// The shop with this image, on a demo's values.
pub(crate) fn with_image(image: &str) -> Value {
    let (repository, tag) = image.rsplit_once(':').unwrap();
    json!({
        "image": {"repository": repository, "tag": tag, "pullPolicy": "Never"},
        "telemetry": {"otlpEndpoint": "", "networkPolicyPeers": null},
    })
}
