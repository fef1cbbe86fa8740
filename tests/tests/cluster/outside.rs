//! A shop whose databases and broker are outside the cluster, on this machine, seen through its Ingress.

use serde_json::{Value, json};
use tests::{Customer, Instance, Original, entrance::Call, original::acceptance_scenario};
use url::Url;

use crate::{
    given,
    ingress::Ingress,
    inside::{SHOP, this_version},
    leftovers,
    namespace::Namespace,
};

/// The logins of a database, and the users of the broker, each with a Secret of its own.
const LOGINS: [&str; 5] = ["owner", "api", "writer", "relay", "audit"];
const USERS: [&str; 3] = ["owner", "relay", "service"];

#[tokio::test]
async fn a_shop_on_databases_outside_serves_page_interface_and_sockets_through_its_ingress() {
    let namespace = Namespace::create("gozon-outside").await;
    make_secrets(&namespace).await;
    let before = leftovers::of(&namespace).await;
    let kind = ["--values=charts/gozon/values-kind.yaml"];
    let notes = namespace.install(SHOP, &kind, &values()).await;
    assert!(
        notes.contains("helm --namespace gozon-outside test gozon"),
        "{notes}"
    );
    namespace.helm(&["test", SHOP]).await;

    let ingress = Ingress::start(namespace.name).await;
    page(&ingress).await;
    interface_and_socket(&ingress).await;
    let entrance = ingress.entrance();
    for socket_path in ["/api/orders/ws", "/ws"] {
        acceptance_scenario(&Original::new(&entrance), socket_path).await;
    }
    drop(ingress);

    namespace.helm(&["uninstall", SHOP]).await;
    leftovers::assert_left(&namespace, &before).await;
}

/// The page, and the script that it asks for.
async fn page(ingress: &Ingress) {
    let entrance = ingress.entrance();
    let page = entrance.send(Call::get("/")).await;
    assert!(page.header("content-type").starts_with("text/html"));
    let script = page
        .text
        .split('"')
        .find(|part| part.strip_suffix(".js").is_some());
    let script = script.expect("the page has a script").to_owned();
    let script = entrance.send(Call::get(script)).await;
    assert_eq!(script.status, 200);
    assert!(script.header("content-type").contains("javascript"));
}

/// Account, order and the push of its end.
async fn interface_and_socket(ingress: &Ingress) {
    let customer = Customer::with_balance(&ingress.entrance(), 10_000).await;
    let mut socket = customer.follow(None).await;
    let order = customer.place(10_000).await;
    assert_eq!(socket.ended(order.id).await.status, "FINISHED");
    assert_eq!(customer.balance().await, 0);
}

async fn make_secrets(namespace: &Namespace) {
    for database in ["orders", "payments"] {
        for login in LOGINS {
            let name = format!("gozon-{database}-{login}");
            make_secret(namespace, &name, "uri", &url_of(database, login)).await;
        }
    }
    for user in USERS {
        let name = format!("gozon-broker-{user}");
        make_secret(namespace, &name, "connection_string", &url_of("amqp", user)).await;
    }
}

async fn make_secret(namespace: &Namespace, name: &str, key: &str, value: &Url) {
    namespace
        .apply(json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name},
            "stringData": {key: value.as_str()},
        }))
        .await;
}

/// An address of this run's instance as the node reaches it.
fn url_of(part: &str, whose: &str) -> Url {
    let variable = format!("GOZON_{part}_{whose}_URL").to_uppercase();
    let mut url = Instance::OfThisRun.url(&variable);
    url.set_host(Some(&given("GOZON_HOST_ADDRESS"))).unwrap();
    url
}

fn values() -> Value {
    let there = json!([{"ipBlock": {"cidr": format!("{}/32", given("GOZON_HOST_ADDRESS"))}}]);
    let at = |url: Url| json!({"port": url.port().unwrap(), "networkPolicyPeers": there});
    let mut values = this_version();
    values["databases"] = json!({
        "orders": at(url_of("orders", "owner")),
        "payments": at(url_of("payments", "owner")),
    });
    values["broker"] = at(url_of("amqp", "owner"));
    values
}
