//! What the shop writes down as it works: JSON lines a program can read, with nothing in them that is nobody's business.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{
    BrokerUser, Customer, Instance, Login, Role, Service, Shop,
    customer::{new_key, rub},
    entrance::Call,
    http_client,
    lapin::{BasicProperties, types::ShortString},
    poll_until,
    shop::Layout,
};

const SOON: Duration = Duration::from_secs(30);

/// Everything that is written at all, by the program itself.
const TALKATIVE: &str =
    "info,gozon=trace,chassis=trace,order=trace,payment=trace,relay=trace,messaging=trace";

const DESCRIPTION: &str = "a-present-nobody-may-know-of";

const POISON: &str = "poison-that-is-kept-and-not-logged";

#[tokio::test]
async fn no_line_has_a_secret_a_body_or_a_description() {
    let shop = talkative().await;
    let customer = Customer::with_balance(&shop.entrance(), 100).await;
    let call = Call::post("/api/v1/orders")
        .header("idempotency-key", new_key())
        .json(&json!({ "amount": rub(100), "description": DESCRIPTION }));
    let order = tests::customer::read(customer.send(call).await.expect(201));
    customer.ended(&[order], SOON).await;
    let malformed = Call::post("/api/v1/orders")
        .header("idempotency-key", new_key())
        .json(&json!({ "amount": DESCRIPTION, "description": DESCRIPTION }));
    assert_eq!(customer.send(malformed).await.status, 422);
    poison(&shop).await;

    let lines = lines_with(&shop, "a message became a dead letter").await;
    let text = shop.log(Role::All);
    let operator_token = std::fs::read_to_string(shop.operator_token_file()).unwrap();
    let mut secrets = vec![
        DESCRIPTION.to_owned(),
        POISON.to_owned(),
        customer.token.clone(),
        operator_token.trim().to_owned(),
    ];
    secrets.extend(passwords(&shop));
    for secret in secrets {
        assert!(!text.contains(&secret), "a line has {secret}");
    }
    for line in lines {
        for field in ["timestamp", "level", "target", "message"] {
            let said = line[field].as_str();
            assert!(said.is_some_and(|said| !said.is_empty()), "{line}");
        }
    }
}

#[tokio::test]
async fn the_level_is_changed_while_it_runs_and_a_requests_lines_have_its_trace_id() {
    let settings = [("GOZON_LOG_FORMAT", "json"), ("GOZON_LOG", "warn")];
    let shop = Shop::start_with(&Instance::OfThisRun, Layout::Together, &settings).await;
    let customer = Customer::new(&shop.entrance()).await;
    assert!(!shop.log(Role::All).contains("a request was answered"));
    let level = shop.admin_url(Role::All).join("/log-level").unwrap();
    let set = async |filter: &'static str| {
        let put = http_client().put(level.clone()).body(filter);
        put.send().await.unwrap().status().as_u16()
    };
    assert_eq!(set("chassis=loud").await, 400);
    assert_eq!(set("warn,chassis=debug").await, 204);
    let answer = customer.get("/api/v1/orders").await;
    let trace_id = answer.headers["trace-id"].to_str().unwrap();
    let lines = lines_with(&shop, "a request was answered").await;
    let answered = lines.iter().find(|line| line["trace_id"] == trace_id);
    let answered = answered.unwrap_or_else(|| panic!("no line of {trace_id}: {lines:?}"));
    assert_eq!(answered["http.route"], "/api/v1/orders");
    assert_eq!(answered["service"], "gozon-order");
}

async fn talkative() -> Shop {
    let settings = [("GOZON_LOG_FORMAT", "json"), ("GOZON_LOG", TALKATIVE)];
    Shop::start_with(&Instance::OfThisRun, Layout::Together, &settings).await
}

/// Publishes what no consumer can read.
async fn poison(shop: &Shop) {
    let content_type = ShortString::from("application/cloudevents-batch+json");
    let properties = BasicProperties::default().with_content_type(content_type);
    let broker = shop.raw_broker().await;
    let is_routed = broker
        .publish(
            "gozon.events",
            "order.placed.v1",
            properties,
            POISON.as_bytes(),
        )
        .await;
    assert!(is_routed);
}

/// The passwords in its processes' environment.
fn passwords(shop: &Shop) -> Vec<String> {
    let databases = Service::ALL.into_iter().flat_map(|service| {
        [Login::Api, Login::Writer, Login::Relay].map(|login| shop.database(service).url(login))
    });
    let broker = [BrokerUser::Service, BrokerUser::Relay].map(|user| shop.vhost().url(user));
    databases
        .chain(broker)
        .map(|url| {
            let url: tests::reqwest::Url = url.parse().unwrap();
            url.password().unwrap().to_owned()
        })
        .collect()
}

/// All lines, once there is one with this message.
async fn lines_with(shop: &Shop, message: &str) -> Vec<Value> {
    poll_until(message, SOON, async || {
        let text = shop.log(Role::All);
        // The last line may be half written.
        let (whole, _) = text.rsplit_once('\n')?;
        let lines = whole.lines().filter(|line| line.starts_with('{'));
        let lines: Vec<Value> = lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let is_there = lines.iter().any(|line| line["message"] == message);
        is_there.then_some(lines)
    })
    .await
}
