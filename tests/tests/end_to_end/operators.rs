//! Operators: let in with their token alone, and told at a terminal where an order is and what could not be settled.

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
async fn an_order_is_followed_through_both_services_in_one_line_of_time() {
    let operator = Operator::enter().await;
    // Who owns a lane now is who published it only when no lane is on its way to another owner.
    operator.shop.lanes_shared().await;
    let anna = Customer::with_balance(&operator.shop.entrance(), 1_000).await;
    let order = anna.place(100).await;
    anna.ended(std::slice::from_ref(&order), SOON).await;

    let id = order.id.to_string();
    let trace = operator.reads_json(&["trace", &id]).await;
    assert_eq!(
        (&trace["number"], &trace["status"]),
        (&json!(order.number), &json!("FINISHED"))
    );
    let hops = trace["hops"].as_array().unwrap();
    let place = |service: &str, step: &str, detail: &str| {
        let is = |hop: &Value| {
            hop["service"] == service
                && hop["step"] == step
                && hop["detail"].as_str().unwrap().contains(detail)
        };
        let found: Vec<_> = hops.iter().enumerate().filter(|(_, hop)| is(hop)).collect();
        assert_eq!(found.len(), 1, "{service} {step} {detail}: {trace:#}");
        found[0].0
    };
    let decided = place("payment", "payment.decided", "CAPTURED");
    let ended = place("order", "order.status", "FINISHED");
    assert!(place("order", "outbox.appended", "order.placed.v1") < decided);
    assert!(place("payment", "inbox.received", "") < decided);
    assert!(
        decided <= ended && place("order", "order.status", "NEW") < decided,
        "{trace:#}"
    );
    place("payment", "ledger.entry", "payment as entry");
    place("payment", "outbox.appended", "payment.captured.v1");
    assert!(place("order", "inbox.received", "") <= ended);
    // The log is written when the relay's position is, so the broker may have confirmed what is not yet told so.
    let trace = poll_until("both relays write down what they sent", SOON, async || {
        let trace = operator.reads_json(&["trace", &id]).await;
        let hops = trace["hops"].as_array().unwrap();
        let confirmed = hops.iter().filter(|hop| hop["step"] == "outbox.confirmed");
        (confirmed.count() == 2).then_some(trace)
    })
    .await;
    let hops = trace["hops"].as_array().unwrap();
    for hop in hops {
        assert!(hop["at"].is_string() && hop["owner"].is_string(), "{hop:#}");
        let step = hop["step"].as_str().unwrap();
        let is_relayed = ["outbox.published", "outbox.confirmed"].contains(&step);
        assert_eq!(hop["lane"].is_u64(), step.starts_with("outbox."), "{hop:#}");
        assert_eq!(hop["epoch"].is_u64(), is_relayed, "{hop:#}");
        if is_relayed {
            assert!(owns_lane(&operator, hop).await, "{hop:#}");
        }
    }
    let at = |service: &str, step: &str| {
        let is = |hop: &&Value| hop["service"] == service && hop["step"] == step;
        let found: Vec<_> = hops.iter().filter(is).collect();
        assert_eq!(found.len(), 1, "{service} {step}: {trace:#}");
        hops.iter().position(|hop| hop == found[0]).unwrap()
    };
    assert!(at("order", "outbox.appended") < at("order", "outbox.published"));
    assert!(at("order", "outbox.published") < at("payment", "inbox.received"));
    assert!(at("payment", "outbox.appended") < at("payment", "outbox.published"));
    assert!(at("payment", "outbox.published") < at("order", "inbox.received"));

    let text = operator.reads(&["trace", &order.number.to_string()]).await;
    assert!(
        text.contains(&id) && text.contains("payment.decided") && text.contains(", epoch "),
        "{text}"
    );
}

/// Whether the relay that a hop names owns the hop's lane under its epoch, as the outbox's status says.
async fn owns_lane(operator: &Operator, hop: &Value) -> bool {
    let service = hop["service"].as_str().unwrap();
    let call = Call::get(format!("/ops/v1/{service}/outbox"));
    let status = operator.asks(call).await;
    let mut lanes = status["lanes"].as_array().unwrap().iter();
    lanes.any(|lane| {
        ["lane", "owner", "epoch"]
            .iter()
            .all(|&field| lane[field] == hop[field])
    })
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
async fn a_dead_letter_is_found_shown_and_redriven_and_the_log_says_by_whom() {
    let operator = Operator::enter().await;
    let name = operator.dead_letter().await;
    let (_, id) = name.split_once('/').unwrap();
    let list = operator
        .reads(&[
            "dead-letters",
            "list",
            "--reason",
            "malformed",
            "--limit",
            "500",
        ])
        .await;
    assert!(list.contains(&name), "{list}");
    let shown = operator.reads(&["dead-letters", "show", &name]).await;
    assert!(shown.contains("no batch at all"), "{shown}");

    // A dry run changes nothing and leaves no record.
    let operations = async || {
        let page = operator
            .asks(Call::get("/ops/v1/payment/operations?limit=500"))
            .await;
        let ours = |operation: &&Value| {
            operation["parameters"]["filter"]["ids"] == json!([id.parse::<i64>().unwrap()])
        };
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(ours)
            .cloned()
            .collect::<Vec<_>>()
    };
    let plan = operator
        .reads(&["dead-letters", "redrive", &name, "--dry-run"])
        .await;
    assert!(plan.contains("would settle 1 dead letter again"), "{plan}");
    assert!(operations().await.is_empty());
    let done = operator
        .reads(&["dead-letters", "redrive", &name, "--rate", "1"])
        .await;
    assert!(
        done.contains("1 dead letter will be settled again"),
        "{done}"
    );
    let recorded = operations().await;
    assert_eq!(recorded.len(), 1, "{recorded:?}");
    assert_eq!(recorded[0]["action"], "dead_letters.redrive");
    assert_eq!(recorded[0]["who"], "operator-token");
    assert_eq!(recorded[0]["affected"], 1);
}

#[tokio::test]
async fn dead_letters_are_chosen_by_filters_for_a_program_to_read() {
    let operator = Operator::enter().await;
    let name = operator.dead_letter().await;
    let (_, id) = name.split_once('/').unwrap();
    let id: i64 = id.parse().unwrap();
    let shown = operator.reads_json(&["dead-letters", "show", &name]).await;
    assert_eq!(
        (&shown["id"], &shown["reason"]),
        (&json!(id), &json!("malformed"))
    );
    let lists = async |filter: &[&str]| {
        let command = [&["dead-letters", "list", "--limit", "500"][..], filter].concat();
        let lists = operator.reads_json(&command).await;
        let lists = lists.as_object().unwrap().values();
        let items = lists.flat_map(|page| page["items"].as_array().unwrap());
        items
            .filter(|letter| letter["id"] == id && letter["queue"] == "payment.orders.v1")
            .count()
    };
    for (filter, found) in [
        (&["--reason", "malformed"][..], 1),
        (&["--service", "payment"], 1),
        (&["--queue", "payment.orders.v1"], 1),
        (&[name.as_str()], 1),
        (&["--reason", "conflict"], 0),
        (&["--service", "order"], 0),
        (&["--type", "nothing.has.this.type"], 0),
        (&["--min-age-seconds", "3600"], 0),
    ] {
        assert_eq!(lists(filter).await, found, "{filter:?}");
    }
    let command = [
        "dead-letters",
        "redrive",
        name.as_str(),
        "--min-age-seconds",
        "3600",
        "--dry-run",
    ];
    let plan = operator.reads_json(&command).await;
    assert_eq!(
        (&plan["payment"]["letters"], &plan["payment"]["dry_run"]),
        (&json!(0), &json!(true))
    );
}

#[tokio::test]
async fn a_redrive_is_taken_back_as_far_as_it_has_not_come() {
    let operator = Operator::enter().await;
    let first = operator.dead_letter().await;
    let second = operator.dead_letter().await;
    // The second is due a second after the first.
    let names = [first.as_str(), second.as_str()];
    let redrive = [&["dead-letters", "redrive", "--rate", "1"][..], &names].concat();
    let done = operator.reads(&redrive).await;
    assert!(
        done.contains("2 dead letters will be settled again"),
        "{done}"
    );
    let cancel = ["dead-letters", "cancel-redrive", second.as_str()];
    let done = operator.reads_json(&cancel).await;
    let taken_back = done["payment"]["letters"].as_u64().unwrap();
    let shown = operator
        .reads_json(&["dead-letters", "show", &second])
        .await;
    // Whoever was faster: it is not due any more.
    assert!(taken_back <= 1 && shown["redrive_at"].is_null(), "{shown}");
    let (status, text) = operator.types(&["dead-letters", "cancel-redrive"]).await;
    assert!(!status.success() && text.contains("--all"), "{text}");
}

#[tokio::test]
async fn a_dead_letter_is_discarded_with_a_reason_that_is_kept() {
    let operator = Operator::enter().await;
    let name = operator.dead_letter().await;
    let why = format!("never ours {}", Uuid::now_v7());
    let (status, text) = operator.types(&["dead-letters", "discard", &name]).await;
    assert!(!status.success() && text.contains("--reason"), "{text}");
    let done = operator
        .reads(&["dead-letters", "discard", &name, "--reason", &why])
        .await;
    assert!(done.contains("1 dead letter discarded"), "{done}");
    let (status, text) = operator.types(&["dead-letters", "show", &name]).await;
    assert!(
        !status.success() && text.contains("no dead letter"),
        "{text}"
    );
    let page = operator
        .asks(Call::get("/ops/v1/payment/operations?limit=500"))
        .await;
    let recorded = page["items"].as_array().unwrap().iter();
    let recorded: Vec<_> = recorded.filter(|done| done["reason"] == why).collect();
    assert_eq!(recorded.len(), 1, "{page}");
    assert_eq!(recorded[0]["action"], "dead_letters.discard");
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
    let page = operator
        .asks(Call::get("/ops/v1/order/operations?limit=500"))
        .await;
    let recorded = page["items"].as_array().unwrap().iter();
    let mut recorded = recorded.filter(|operation| operation["id"] == answer["operation_id"]);
    assert_eq!(recorded.next().unwrap()["who"], format!("user {user_id}"));
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
