//! Bad messages to the payment service, where orders arrive that want their money.

use serde_json::{Value, json};
use tests::{Customer, Service, poll_until};
use uuid::Uuid;

use crate::{
    event::{BATCH, order_placed, publish, publish_batch, with, without},
    site::{HANDLED_WITHIN, Site},
};

const KEY: &str = "order.placed.v1";

#[tokio::test]
async fn a_message_that_is_no_batch_becomes_a_dead_letter() {
    let site = Site::enter().await;
    let nested = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let open = "[".repeat(10_000);
    let megabyte = format!("[{}]", "1,".repeat(500_000));
    let event = order_placed(site.customer.user_id, 1).to_string();
    let cases: [(&str, Option<&str>, &[u8], &str); 15] = [
        ("an empty message", Some(BATCH), b"", "malformed"),
        (
            "a message that is not UTF-8",
            Some(BATCH),
            b"\xff\xfe[]",
            "malformed",
        ),
        ("text", Some(BATCH), b"hello", "malformed"),
        ("half a batch", Some(BATCH), b"[{\"id\":", "malformed"),
        ("an empty batch", Some(BATCH), b"[ ]", "malformed"),
        ("null", Some(BATCH), b"null", "malformed"),
        ("an object", Some(BATCH), b"{\"a\": 1}", "malformed"),
        (
            "an event outside a batch",
            Some(BATCH),
            event.as_bytes(),
            "malformed",
        ),
        ("NaN", Some(BATCH), b"[NaN]", "malformed"),
        (
            "10,000 open brackets",
            Some(BATCH),
            open.as_bytes(),
            "malformed",
        ),
        ("a zero byte", Some(BATCH), b"\0", "malformed"),
        ("1 MB", Some(BATCH), megabyte.as_bytes(), "too_large"),
        (
            "plain JSON",
            Some("application/json"),
            b"[\"x\"]",
            "content_type",
        ),
        ("no content type", None, b"[\"y\"]", "content_type"),
        (
            "text by its type",
            Some("text/plain"),
            b"[\"z\"]",
            "content_type",
        ),
    ];
    for (what, content_type, body, class) in cases {
        publish(&site.broker, KEY, content_type, body).await;
        site.expect_next_is_handled(what).await;
        site.expect_dead_letter(Service::Payments, what, body, class)
            .await;
    }
    // This one is an array of one element, which is no event.
    publish(&site.broker, KEY, Some(BATCH), nested.as_bytes()).await;
    site.expect_next_is_handled("10,000 nested brackets").await;
    let element = &nested.as_bytes()[1..nested.len() - 1];
    site.expect_dead_letter(Service::Payments, "nesting", element, "malformed")
        .await;
}

#[tokio::test]
async fn an_event_with_a_bad_envelope_becomes_a_dead_letter() {
    let site = Site::enter().await;
    let good = || order_placed(site.customer.user_id, 100);
    let id = |value: Value| with(good(), "/id", value);
    let kind = |value: &str| with(good(), "/type", json!(value));
    // 48 bits of milliseconds come first: the first instant of 1970, and one in the year 10889.
    let ancient = "00000000-0000-7000-8000-0000000000aa";
    let far = "ffffffff-ffff-7fff-bfff-ffffffffffff";
    let cases = [
        ("a number", json!(1), "malformed"),
        ("an empty object", json!({}), "event_id"),
        ("an event without id", without(good(), "id"), "event_id"),
        ("an id that is null", id(Value::Null), "event_id"),
        ("an id that is a number", id(json!(7)), "event_id"),
        ("an id that is no UUID", id(json!("seven")), "event_id"),
        (
            "an id without a time in it",
            id(json!(Uuid::new_v4())),
            "event_id",
        ),
        ("an id of 1970", id(json!(ancient)), "event_id"),
        ("an id of the far future", id(json!(far)), "event_id"),
        ("an unknown type", kind("order.exploded.v1"), "unknown_type"),
        (
            "an unknown version",
            kind("order.placed.v2"),
            "unknown_type",
        ),
        (
            "a type of another queue",
            kind("payment.captured.v1"),
            "unknown_type",
        ),
        (
            "an event without type",
            without(good(), "type"),
            "malformed",
        ),
        (
            "an event without subject",
            without(good(), "subject"),
            "malformed",
        ),
        (
            "an event without data",
            without(good(), "data"),
            "malformed",
        ),
        (
            "another CloudEvents version",
            with(good(), "/specversion", json!("0.3")),
            "malformed",
        ),
    ];
    refuse_each(&site, &cases).await;
}

#[tokio::test]
async fn an_event_with_bad_data_becomes_a_dead_letter() {
    let site = Site::enter().await;
    let good = || order_placed(site.customer.user_id, 100);
    let amount = |value: Value| with(good(), "/data/amount/amount_minor", value);
    let user = |value: Value| with(good(), "/data/user_id", value);
    let cases = [
        ("data that is text", with(good(), "/data", json!("order"))),
        (
            "another subject",
            with(good(), "/subject", json!(Uuid::now_v7())),
        ),
        ("a negative amount", amount(json!(-100))),
        ("an amount of zero", amount(json!(0))),
        ("a huge amount", amount(json!(i64::MAX))),
        ("an amount over 64 bits", amount(json!(u64::MAX))),
        ("a float", amount(json!(1.5))),
        ("an amount that is a string", amount(json!("100"))),
        ("an amount that is null", amount(Value::Null)),
        (
            "an unknown currency",
            with(good(), "/data/amount/currency", json!("USD")),
        ),
        ("user 0", user(json!(0))),
        ("a negative user", user(json!(-1))),
        ("a user that is a string", user(json!("1"))),
        (
            "an order that is no UUID",
            with(good(), "/data/order_id", json!("17")),
        ),
    ]
    .map(|(what, event)| (what, event, "invalid"));
    refuse_each(&site, &cases).await;
}

#[tokio::test]
async fn an_order_of_an_unknown_user_ends_as_a_declined_payment() {
    let site = Site::enter().await;
    let event = order_placed(Customer::new_user_id(), 100);
    publish_batch(&site.broker, KEY, std::slice::from_ref(&event)).await;
    let outcome = poll_until("the payment is decided", HANDLED_WITHIN, async || {
        site.outcome(&event).await
    })
    .await;
    assert_eq!(outcome, "DECLINED no_account");
    let body = event.to_string();
    let letters = site.dead_letters(Service::Payments, body.as_bytes()).await;
    assert!(letters.is_empty(), "{letters:?}");
}

#[tokio::test]
async fn one_bad_event_among_ninety_nine_good_ones_spares_them() {
    let site = Site::enter().await;
    let good = || order_placed(site.customer.user_id, 1);
    let bad = [
        (
            "bad data",
            with(good(), "/data/amount/amount_minor", json!(-1)),
            "invalid",
        ),
        ("no id", without(good(), "id"), "event_id"),
        (
            "an unknown type",
            with(good(), "/type", json!("order.placed.v7")),
            "unknown_type",
        ),
        ("no event at all", json!(["nothing"]), "malformed"),
    ];
    for (what, bad, class) in bad {
        let before = site.customer.balance().await;
        let mut events: Vec<_> = (0..100).map(|_| good()).collect();
        events[57] = bad.clone();
        publish_batch(&site.broker, KEY, &events).await;
        let body = bad.to_string();
        site.expect_dead_letter(Service::Payments, what, body.as_bytes(), class)
            .await;
        poll_until(
            "the other ninety-nine are paid",
            HANDLED_WITHIN,
            async || (site.customer.balance().await == before - 99).then_some(()),
        )
        .await;
        site.expect_next_is_handled(what).await;
    }
}

#[tokio::test]
async fn the_same_id_with_another_body_is_a_conflict_and_costs_nothing() {
    let site = Site::enter().await;
    let first = order_placed(site.customer.user_id, 10);
    let dearer = with(first.clone(), "/data/amount/amount_minor", json!(500));
    let other_order = with(
        order_placed(site.customer.user_id, 10),
        "/id",
        first["id"].clone(),
    );
    publish_batch(&site.broker, KEY, std::slice::from_ref(&first)).await;
    poll_until("the first is paid", HANDLED_WITHIN, async || {
        site.outcome(&first).await
    })
    .await;
    publish_batch(&site.broker, KEY, std::slice::from_ref(&dearer)).await;
    site.expect_next_is_handled("a conflict").await;
    let body = dearer.to_string();
    site.expect_dead_letter(
        Service::Payments,
        "another amount",
        body.as_bytes(),
        "conflict",
    )
    .await;
    // A third body under the id of a dead letter is not executed either.
    publish_batch(&site.broker, KEY, std::slice::from_ref(&other_order)).await;
    site.expect_next_is_handled("another conflict").await;
    assert_eq!(site.outcome(&other_order).await, None);
    assert_eq!(site.debits(&first).await, [-10]);
}

#[tokio::test]
async fn the_same_order_under_another_id_is_paid_once_and_with_other_contents_refused() {
    let site = Site::enter().await;
    let first = order_placed(site.customer.user_id, 10);
    let again = with(first.clone(), "/id", json!(Uuid::now_v7()));
    let dearer = with(
        with(first.clone(), "/id", json!(Uuid::now_v7())),
        "/data/amount/amount_minor",
        json!(20),
    );
    for event in [&first, &again, &dearer] {
        publish_batch(&site.broker, KEY, std::slice::from_ref(event)).await;
        site.expect_next_is_handled("an order asked for again")
            .await;
    }
    let body = dearer.to_string();
    site.expect_dead_letter(
        Service::Payments,
        "other contents",
        body.as_bytes(),
        "conflict",
    )
    .await;
    assert_eq!(site.debits(&first).await, [-10]);
    let body = again.to_string();
    assert!(
        site.dead_letters(Service::Payments, body.as_bytes())
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn the_same_message_fifty_times_is_paid_once() {
    let site = Site::enter().await;
    let event = order_placed(site.customer.user_id, 10);
    let batch: Vec<_> = std::iter::repeat_n(event.clone(), 10).collect();
    for _ in 0..5 {
        publish_batch(&site.broker, KEY, &batch).await;
    }
    site.expect_next_is_handled("fifty copies").await;
    assert_eq!(site.debits(&event).await, [-10]);
}

#[tokio::test]
async fn the_same_bad_message_again_is_counted_not_kept_twice() {
    let site = Site::enter().await;
    let body = b"the same nonsense";
    for _ in 0..3 {
        publish(&site.broker, KEY, Some(BATCH), body).await;
    }
    site.expect_next_is_handled("three times nonsense").await;
    let letters = site.dead_letters(Service::Payments, body).await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].occurrences, 3);
}

/// Publishes each bad event with a good one behind it. The good ones cost one each, the bad ones nothing.
async fn refuse_each(site: &Site, cases: &[(&str, Value, &str)]) {
    let before = site.customer.balance().await;
    for (what, event, class) in cases {
        publish_batch(&site.broker, KEY, std::slice::from_ref(event)).await;
        site.expect_next_is_handled(what).await;
        let body = event.to_string();
        site.expect_dead_letter(Service::Payments, what, body.as_bytes(), class)
            .await;
    }
    let handled = i64::try_from(cases.len()).unwrap();
    assert_eq!(site.customer.balance().await, before - handled);
}
