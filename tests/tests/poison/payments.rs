//! Bad messages to the order service, where decisions about payments arrive.

use serde_json::json;
use tests::{Service, poll_until};
use uuid::Uuid;

use crate::{
    event::{BATCH, payment_captured, publish, publish_batch, with},
    site::{HANDLED_WITHIN, Site, expect_at_once},
};

const KEY: &str = "payment.captured.v1";

#[tokio::test]
async fn a_bad_decision_becomes_a_dead_letter_and_orders_go_on_ending() {
    let site = Site::enter().await;
    let declined = |order_id: Uuid, reason: &str| {
        let mut event = with(
            payment_captured(order_id),
            "/type",
            json!("payment.declined.v1"),
        );
        event["data"]["reason"] = json!(reason);
        event
    };
    let good = || payment_captured(Uuid::now_v7());
    let cases = [
        (
            "an unknown type",
            with(good(), "/type", json!("payment.lost.v1")),
            "unknown_type",
        ),
        (
            "an unknown version",
            with(good(), "/type", json!("payment.captured.v9")),
            "unknown_type",
        ),
        (
            "an unknown reason",
            declined(Uuid::now_v7(), "bad_mood"),
            "invalid",
        ),
        (
            "an instant that is none",
            with(good(), "/data/decided_at", json!("yesterday")),
            "invalid",
        ),
        (
            "an id that is no UUID",
            with(good(), "/id", json!("x")),
            "event_id",
        ),
    ];
    for (what, event, class) in cases {
        publish_batch(&site.broker, KEY, std::slice::from_ref(&event)).await;
        an_order_ends(&site, what).await;
        let body = event.to_string();
        site.expect_dead_letter(Service::Orders, what, body.as_bytes(), class)
            .await;
    }
    for (what, body) in [("no JSON", &b"}{"[..]), ("an empty message", b"")] {
        publish(&site.broker, KEY, Some(BATCH), body).await;
        an_order_ends(&site, what).await;
        site.expect_dead_letter(Service::Orders, what, body, "malformed")
            .await;
    }
}

#[tokio::test]
async fn a_decision_that_contradicts_the_first_changes_nothing() {
    let site = Site::enter().await;
    let too_dear = site.customer.place(50_000_000).await;
    let cancelled = site
        .customer
        .ended(std::slice::from_ref(&too_dear), HANDLED_WITHIN)
        .await
        .remove(0);
    assert_eq!(cancelled.status, "CANCELLED");
    let event = payment_captured(too_dear.id);
    publish_batch(&site.broker, KEY, std::slice::from_ref(&event)).await;
    an_order_ends(&site, "a contradiction").await;
    let body = event.to_string();
    site.expect_dead_letter(
        Service::Orders,
        "a contradiction",
        body.as_bytes(),
        "conflict",
    )
    .await;
    assert_eq!(site.customer.order(too_dear.id).await, cancelled);
}

#[tokio::test]
async fn a_decision_about_no_order_waits_for_it_and_becomes_a_dead_letter_in_the_end() {
    let site = Site::enter().await;
    let event = payment_captured(Uuid::now_v7());
    publish_batch(&site.broker, KEY, std::slice::from_ref(&event)).await;
    an_order_ends(&site, "a decision about no order").await;
    let body = event.to_string();
    poll_until("the decision waits", HANDLED_WITHIN, async || {
        site.lose_patience(Service::Orders, body.as_bytes()).await
    })
    .await;
    site.expect_dead_letter(
        Service::Orders,
        "a decision about no order",
        body.as_bytes(),
        "unknown_order",
    )
    .await;
}

/// Places a real order and expects that it ends at once.
async fn an_order_ends(site: &Site, after: &str) {
    let ends = async || {
        let order = site.customer.place(1).await;
        let order = std::slice::from_ref(&order);
        site.customer.ended(order, HANDLED_WITHIN).await;
    };
    expect_at_once(after, ends(), ends).await;
}
