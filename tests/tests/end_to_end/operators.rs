//! Operators: let in with their token alone, and told at a terminal where an order is and what could not be settled.

mod dead_letters;
mod trace;

use std::{process::ExitStatus, time::Duration};

use serde_json::{Value, json};
use tests::{
    Customer, Shop, entrance::Call, gozon, lapin::BasicProperties, poll_until, shop::SharedShop,
};
use uuid::Uuid;

const SOON: Duration = Duration::from_secs(20);

/// Somebody at a terminal, with the operators' token.
struct Operator {
    shop: SharedShop,
    address: String,
}

impl Operator {
    async fn enter() -> Self {
        let shop = Shop::shared().await;
        let address = shop.entrance().url("/").to_string();
        Self { shop, address }
    }

    async fn types(&self, arguments: &[&str]) -> (ExitStatus, String) {
        let environment = [
            ("GOZON_URL", self.address.as_str()),
            ("GOZON_OPERATOR_TOKEN_FILE", self.shop.operator_token_file()),
        ];
        gozon(arguments, &environment).await
    }

    /// What a command prints that ends well.
    async fn reads(&self, arguments: &[&str]) -> String {
        let (status, text) = self.types(arguments).await;
        assert!(status.success(), "{arguments:?}: {text}");
        text
    }

    async fn reads_json(&self, arguments: &[&str]) -> Value {
        let text = self.reads(&[arguments, &["--json"]].concat()).await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    async fn asks(&self, call: Call) -> Value {
        let token = std::fs::read_to_string(self.shop.operator_token_file()).unwrap();
        let call = call.bearer(token.trim());
        self.shop.entrance().send(call).await.expect(200)
    }

    /// A change as the operators' log of a service has it, by its number.
    async fn recorded(&self, service: &str, operation_id: &Value) -> Value {
        let log = Call::get(format!("/ops/v1/{service}/operations?limit=500"));
        let page = self.asks(log).await;
        let mut operations = page["items"].as_array().unwrap().iter();
        let recorded = operations.find(|operation| operation["id"] == *operation_id);
        recorded
            .unwrap_or_else(|| panic!("{operation_id} is not in {page}"))
            .clone()
    }

    /// Has the payment service give up on a message that nobody could read, and says how it is named.
    async fn dead_letter(&self) -> String {
        let body = format!("no batch at all {}", Uuid::now_v7());
        let properties = BasicProperties::default()
            .with_delivery_mode(2)
            .with_content_type("application/cloudevents-batch+json".into());
        let broker = self.shop.raw_broker().await;
        let routed = broker
            .publish(
                "gozon.events",
                "order.placed.v1",
                properties,
                body.as_bytes(),
            )
            .await;
        assert!(routed);
        poll_until("the message becomes a dead letter", SOON, async || {
            let call = Call::get("/ops/v1/payment/dead-letters?reason=malformed&limit=500");
            for letter in self.asks(call).await["items"].as_array().unwrap() {
                let id = &letter["id"];
                let path = format!("/ops/v1/payment/dead-letters/{id}");
                if self.asks(Call::get(path)).await["body"] == body {
                    return Some(format!("payment/{id}"));
                }
            }
            None
        })
        .await
    }
}

#[tokio::test]
async fn the_outboxes_are_shown_with_their_relays_and_lanes() {
    let operator = Operator::enter().await;
    operator.shop.lanes_shared().await;
    let outboxes = operator.reads_json(&["outbox", "status"]).await;
    for service in ["order", "payment"] {
        let outbox = &outboxes[service];
        assert_eq!(outbox["lanes"].as_array().unwrap().len(), 64, "{outbox}");
        let relays = outbox["relays"].as_array().unwrap();
        let owned: u64 = relays
            .iter()
            .map(|relay| relay["lanes"].as_u64().unwrap())
            .sum();
        assert_eq!(owned, 64, "{outbox}");
        assert_eq!(outbox["partition_days_ahead"], 7);
        assert_eq!(outbox["parked"], 0);
    }
    let text = operator.reads(&["outbox", "status", "--lanes"]).await;
    assert!(text.starts_with("order outbox: "), "{text}");
    assert!(text.contains("\npayment outbox: "), "{text}");
}

#[tokio::test]
async fn each_service_tells_of_its_health_and_the_payment_service_of_its_ledger() {
    let operator = Operator::enter().await;
    for (service, queue) in [
        ("order", "order.payments.v1"),
        ("payment", "payment.orders.v1"),
    ] {
        let health = poll_until("a consumer tells of itself", SOON, async || {
            let health = Call::get(format!("/ops/v1/{service}/health"));
            let health = operator.asks(health).await;
            let consumers = health["consumers"].as_array().unwrap();
            let at_work = consumers.iter().any(|it| it["connected"] == true);
            at_work.then_some(health)
        })
        .await;
        assert_eq!(health["broker_problem"], Value::Null, "{health}");
        assert_eq!(health["queues"][0]["queue"], queue, "{health}");
        assert!(health["queues"][0]["consumers"].as_u64().unwrap() >= 1);
    }
    let pass = poll_until("a pass over the ledger", SOON * 3, async || {
        let check = operator.asks(Call::get("/ops/v1/payment/ledger")).await;
        (!check["last_pass"].is_null()).then(|| check["last_pass"].clone())
    })
    .await;
    assert_eq!(pass["drifting_accounts"], 0, "{pass}");
    let stuck = operator.asks(Call::get("/ops/v1/order/stuck")).await;
    assert!(stuck["items"].is_array(), "{stuck}");
}

#[tokio::test]
async fn a_customer_is_refused_and_told_what_is_wanted() {
    let operator = Operator::enter().await;
    let entrance = operator.shop.entrance();
    let anna = Customer::new(&entrance).await;
    for service in ["order", "payment"] {
        for path in ["outbox", "dead-letters", "operations"] {
            let call = || Call::get(format!("/ops/v1/{service}/{path}"));
            anna.send(call()).await.expect_problem(403, "forbidden");
            entrance
                .send(call())
                .await
                .expect_problem(401, "unauthenticated");
        }
        let redrive =
            Call::post(format!("/ops/v1/{service}/dead-letters/redrive")).json(&json!({}));
        anna.send(redrive).await.expect_problem(403, "forbidden");
    }
    let url = ("GOZON_URL", operator.address.as_str());
    for (token, said) in [
        (anna.token.as_str(), "a customer's (403)"),
        ("nonsense", "refused (401)"),
    ] {
        let environment = [url, ("GOZON_OPERATOR_TOKEN", token)];
        let (status, text) = gozon(&["outbox", "status"], &environment).await;
        assert!(!status.success() && text.contains(said), "{text}");
    }
}

#[tokio::test]
async fn who_signs_in_with_the_token_is_named_in_the_log() {
    let operator = Operator::enter().await;
    let entrance = operator.shop.entrance();
    let user_id = Customer::new_user_id();
    let token = std::fs::read_to_string(operator.shop.operator_token_file()).unwrap();
    let sign_in = Call::post("/api/v1/session")
        .json(&json!({"user_id": user_id, "operator_token": token.trim()}));
    let session = entrance.send(sign_in).await.expect(200);
    assert_eq!(session["roles"], json!(["customer", "operator"]));
    // Nothing has this type, so nothing changes but the log.
    let redrive = Call::post("/ops/v1/order/dead-letters/redrive")
        .bearer(session["token"].as_str().unwrap())
        .json(&json!({"filter": {"type": "nothing.has.this.type"}}));
    let answer = entrance.send(redrive).await.expect(200);
    assert_eq!(answer["letters"], 0);
    let recorded = operator.recorded("order", &answer["operation_id"]).await;
    assert_eq!(recorded["who"], format!("user {user_id}"));
}

#[tokio::test]
async fn errors_say_what_to_do_next() {
    let operator = Operator::enter().await;
    for (arguments, said) in [
        (&["trace", "999999999999"][..], "no order 999999999999"),
        (&["trace", "../outbox"], "no order"),
        (
            &["dead-letters", "show", "order/999999999999"],
            "dead-letters list",
        ),
        (&["dead-letters", "show", "17"], "payment/17"),
        (&["dead-letters", "redrive"], "--all"),
        (
            &["outbox", "status", "--url", "http://127.0.0.1:9"],
            "make run",
        ),
    ] {
        let (status, text) = operator.types(arguments).await;
        assert!(!status.success(), "{arguments:?}: {text}");
        assert!(text.contains(said), "{arguments:?}: {text}");
    }
    let (status, text) = gozon(&["outbox", "status", "--url", "http://shop.example"], &[]).await;
    assert!(!status.success());
    assert!(text.contains("GOZON_OPERATOR_TOKEN_FILE"), "{text}");
}
