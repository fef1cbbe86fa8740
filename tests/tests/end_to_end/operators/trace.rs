//! Following one order.

use serde_json::{Value, json};
use tests::{Customer, entrance::Call, poll_until};

use super::{Operator, SOON};

/// How it is written down that a socket was told of an order's end.
const TOLD: &str = "version 2 to 1 socket";

#[tokio::test]
async fn an_order_is_followed_through_both_services_in_one_line_of_time() {
    let operator = Operator::enter().await;
    // Who owns a lane now is who published it only when no lane is on its way to another owner.
    operator.shop.lanes_shared().await;
    let anna = Customer::with_balance(&operator.shop.entrance(), 1_000).await;
    let mut socket = anna.follow(None).await;
    let order = anna.place(100).await;
    anna.ended(std::slice::from_ref(&order), SOON).await;
    socket.ended(order.id).await;

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
    let written = "both relays write down what they sent, and the replica what it pushed";
    let trace = poll_until(written, SOON, async || {
        let trace = operator.reads_json(&["trace", &id]).await;
        let hops = trace["hops"].as_array().unwrap();
        let count = |step| hops.iter().filter(|hop| hop["step"] == step).count();
        let end = hops.iter().any(|hop| hop["detail"] == TOLD);
        (end && count("outbox.confirmed") == 2).then_some(trace)
    })
    .await;
    let hops = trace["hops"].as_array().unwrap();
    for hop in hops {
        assert!(hop["at"].is_string() && hop["owner"].is_string(), "{hop:#}");
        let step = hop["step"].as_str().unwrap();
        let is_relayed =
            ["outbox.picked_up", "outbox.published", "outbox.confirmed"].contains(&step);
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
    assert!(at("order", "outbox.appended") < at("order", "outbox.picked_up"));
    assert!(at("order", "outbox.picked_up") < at("order", "outbox.published"));
    assert_eq!(hops[at("order", "outbox.published")]["attempts"], 1);
    assert!(at("order", "outbox.published") < at("payment", "inbox.received"));
    assert!(at("payment", "outbox.appended") < at("payment", "outbox.published"));
    assert!(at("payment", "outbox.published") < at("order", "inbox.received"));

    let step = |step: &str, detail: &str| {
        let is = |hop: &Value| hop["step"] == step && hop["detail"] == detail;
        hops.iter().position(is).unwrap()
    };
    assert!(step("order.status", "FINISHED") < step("order.pushed", TOLD));

    let text = operator.reads(&["trace", &order.number.to_string()]).await;
    assert!(
        text.contains(&id) && text.contains("payment.decided") && text.contains(", epoch "),
        "{text}"
    );
}

#[tokio::test]
async fn a_refund_is_followed_through_both_services() {
    let operator = Operator::enter().await;
    let anna = Customer::with_balance(&operator.shop.entrance(), 1_000).await;
    let order = anna.place(100).await;
    let order = anna.ended(&[order], SOON).await.remove(0);
    anna.cancel(&order).await;
    anna.ended(std::slice::from_ref(&order), SOON).await;
    let trace = operator.reads_json(&["trace", &order.id.to_string()]).await;
    let hops = trace["hops"].as_array().unwrap();
    let mut last = None;
    for (service, step, detail) in [
        ("order", "order.status", "REFUNDING"),
        ("order", "outbox.appended", "refund.requested.v1"),
        ("payment", "ledger.entry", "refund as entry"),
        ("payment", "outbox.appended", "payment.refunded.v1"),
        ("order", "order.status", "CANCELLED (refunded)"),
    ] {
        let is = |hop: &Value| {
            hop["service"] == service
                && hop["step"] == step
                && hop["detail"].as_str().unwrap().contains(detail)
        };
        let found: Vec<_> = hops.iter().enumerate().filter(|(_, hop)| is(hop)).collect();
        assert_eq!(found.len(), 1, "{service} {step} {detail}: {trace:#}");
        // What one transaction did has one instant, or nearly: only the services' order counts.
        if step == "order.status" || step == "ledger.entry" {
            assert!(last < Some(found[0].0), "{detail}: {trace:#}");
            last = Some(found[0].0);
        }
    }
    // Two requests were received there, and two answers here.
    for (service, queue) in [
        ("payment", "payment.orders.v1"),
        ("order", "order.payments.v1"),
    ] {
        let received = |hop: &&Value| {
            hop["service"] == service && hop["step"] == "inbox.received" && hop["owner"] == queue
        };
        assert_eq!(hops.iter().filter(received).count(), 2, "{trace:#}");
    }
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
