//! Where undecided orders hang: as long as they may, they are in flight; after that they are stuck, and where is said.

use serde_json::json;
use sqlx::PgPool;
use tests::{Service, Shop};

use super::{ALL_EXAMPLES, planted::Planted, resting_shop};

/// What was done to an undecided order, and where the audit must find it.
const PLACES: &[(&str, &str, &str)] = &[
    (
        "request_missing",
        "delete from messaging.outbox where key = '{order}'",
        "",
    ),
    (
        "request_unpublished",
        "update messaging.outbox set lane = 1 where key = '{order}'",
        "",
    ),
    ("request_on_the_way", "", ""),
    (
        "request_dead",
        "update messaging.outbox set event_id = '{other}' where key = '{order}'",
        "insert into messaging.dead_letter
            (consumer, message_id, body_digest, routing_key, headers, body, reason_class, reason)
            values ('payment.orders.v1', '{other}', '', '', '{}', '', 'invalid', 'planted')",
    ),
    (
        "request_deferred",
        "update messaging.outbox set event_id = '{other}' where key = '{order}'",
        "insert into messaging.deferred
            (consumer, message_id, body_digest, type, routing_key, headers, body, attempts, next_attempt_at,
             reason_class, reason)
            values ('payment.orders.v1', '{other}', '', '', '', '{}', '', 1, now(), 'not_yet', 'planted')",
    ),
    (
        "answer_unpublished",
        "",
        "insert into payments.payment (order_id, user_id, amount_minor, currency, outcome, reason, received_at, decided_at)
            values ('{order}', {user}, 40, 'RUB', 'DECLINED', 'no_account', now(), now());
        insert into messaging.outbox (lane, key, event_id, type, traceparent, body)
            values (1, '{order}', gen_random_uuid(), 'payment.declined.v1', '', '')",
    ),
];

/// What is in lane 0 up to now was published: the log says so, and the cursor is past it.
const PUBLISHED: &str = "
    insert into messaging.publish_log (published_at, confirmed_at, relay, type, lanes, first_id, last_id, first_event,
                                       last_event, event_ids, attempts, outcome)
        select now(), now(), 'a relay', 'order.placed.v1', '{0}', min(id), max(id), min(event_id::text)::uuid,
               max(event_id::text)::uuid, array_agg(event_id), 1, 'confirmed'
        from messaging.outbox where lane = 0;
    update messaging.lane set settled = pg_current_snapshot() where lane = 0;";

/// What is parked: the event of this key, in this database.
const PARKED: &str = "
    insert into messaging.parked (outbox_id, lane, key, event_id, type, body, reason)
        select id, lane, key, event_id, type, body, 'too_large' from messaging.outbox where key = '{order}';
    update messaging.lane set settled = pg_current_snapshot() where lane = 0;";

/// Undecided orders, one at each place. Lane 0 is published up to now in both databases, lane 1 is not.
async fn hanging_shop() -> (Shop, Vec<Planted>) {
    let shop = resting_shop().await;
    let (orders, payments) = pools(&shop);
    let planted: Vec<_> = (1..).take(PLACES.len()).map(Planted::new).collect();
    for (planted, (_, in_orders, in_payments)) in planted.iter().zip(PLACES) {
        planted.plant_healthy(&orders, &payments).await;
        planted.undo_decision(&orders, &payments).await;
        planted.run(&orders, in_orders).await;
        planted.run(&payments, in_payments).await;
    }
    planted[0].run(&orders, PUBLISHED).await;
    (shop, planted)
}

fn pools(shop: &Shop) -> (PgPool, PgPool) {
    (
        shop.database(Service::Orders).admin_pool(),
        shop.database(Service::Payments).admin_pool(),
    )
}

#[tokio::test]
async fn an_undecided_order_is_in_flight_as_long_as_it_may_be_and_stuck_after_that() {
    let (shop, planted) = hanging_shop().await;
    // The one whose request nobody wrote is wrong at any age.
    let (orders, _) = pools(&shop);
    planted[0]
        .run(
            &orders,
            "insert into messaging.outbox (lane, key, event_id, type, traceparent, body)
                values (0, '{order}', gen_random_uuid(), 'order.placed.v1', '', '')",
        )
        .await;
    let audit = shop.audit(&["--stuck-after", "3600"]).await;
    audit.assert_holds();
    assert_eq!(audit.report["seen"]["in_flight"], PLACES.len());
    let arguments = [&ALL_EXAMPLES[..], &["--stuck-after", "0"]].concat();
    let audit = shop.audit(&arguments).await;
    assert_eq!(audit.status, Some(1), "{:#}", audit.report);
    assert_eq!(audit.report["seen"]["in_flight"], 0);
    for planted in planted {
        assert_eq!(audit.about(&[planted.order.to_string()]), ["order_stuck"]);
    }
}

#[tokio::test]
async fn the_place_where_an_order_hangs_is_named() {
    let (shop, planted) = hanging_shop().await;
    let arguments = [&ALL_EXAMPLES[..], &["--stuck-after", "0"]].concat();
    let audit = shop.audit(&arguments).await;
    let stuck_at: Vec<_> = PLACES
        .iter()
        .map(|(place, _, _)| (*place, json!(1)))
        .collect();
    let stuck_at: serde_json::Map<_, _> = stuck_at
        .into_iter()
        .map(|(place, count)| (place.to_owned(), count))
        .collect();
    assert_eq!(
        audit.report["stuck_at"],
        json!(stuck_at),
        "{:#}",
        audit.report
    );
    let dead = planted[3].order.to_string();
    let told = audit
        .checks()
        .into_iter()
        .flat_map(|(_, examples)| examples);
    let told: Vec<_> = told.filter(|example| example.contains(&dead)).collect();
    assert!(
        told.iter()
            .any(|example| example.contains("dead letter") && example.contains("invalid")),
        "{told:?}"
    );
}

#[tokio::test]
async fn what_is_parked_is_found_at_any_age_named_where_it_hangs_and_not_taken_for_lost() {
    let shop = resting_shop().await;
    let (orders, payments) = pools(&shop);
    let [request, answer] = [1, 2].map(Planted::new);
    for planted in [&request, &answer] {
        planted.plant_healthy(&orders, &payments).await;
        planted.make_undecided(&orders).await;
    }
    request.forget_payment(&payments).await;
    request.run(&orders, PARKED).await;
    answer.run(&payments, PARKED).await;
    // The request behind the answer was published, and so was what is in its lane.
    request.run(&orders, PUBLISHED).await;

    let audit = shop.audit(&ALL_EXAMPLES).await;
    assert_eq!(audit.report["seen"]["events_parked"], 2);
    let about = |planted: &Planted| audit.about(&[planted.order.to_string()]);
    assert_eq!(about(&request), ["order_without_request"]);
    assert_eq!(about(&answer), ["decision_without_answer"]);
    let arguments = [&ALL_EXAMPLES[..], &["--stuck-after", "0"]].concat();
    let audit = shop.audit(&arguments).await;
    let hang = json!({"request_parked": 1, "answer_parked": 1});
    assert_eq!(audit.report["stuck_at"], hang, "{:#}", audit.report);
    let told = audit
        .checks()
        .into_iter()
        .flat_map(|(_, examples)| examples);
    let why = told.filter(|example| example.contains("(too_large)"));
    assert_eq!(why.count(), 2, "{:#}", audit.report);
}

/// What was done to an order that was given up, and where the audit must find it.
const PLACES_OF_REFUNDS: &[(&str, &str, &str)] = &[
    (
        "refund_request_unpublished",
        "update messaging.outbox set lane = 1 where key = '{order}' and type = 'refund.requested.v1'",
        "",
    ),
    ("refund_request_on_the_way", "", ""),
    (
        "refund_request_dead",
        "update messaging.outbox set event_id = '{other}' where key = '{order}' and type = 'refund.requested.v1'",
        "insert into messaging.dead_letter
            (consumer, message_id, body_digest, routing_key, headers, body, reason_class, reason)
            values ('payment.orders.v1', '{other}', '', '', '{}', '', 'conflict', 'planted')",
    ),
    (
        "refund_answer_unpublished",
        "",
        "insert into payments.ledger_entry (id, account_id, order_id, kind, amount_minor, balance_after_minor)
            values (gen_random_uuid(), '{account}', '{order}', 'REFUND', 40, 100);
        update payments.account set balance_minor = 100 where id = '{account}';
        insert into messaging.outbox (lane, key, event_id, type, traceparent, body)
            values (1, '{order}', gen_random_uuid(), 'payment.refunded.v1', '', '')",
    ),
];

#[tokio::test]
async fn the_place_where_a_refund_hangs_is_named() {
    let shop = resting_shop().await;
    let (orders, payments) = pools(&shop);
    let planted: Vec<_> = (1..)
        .take(PLACES_OF_REFUNDS.len())
        .map(Planted::new)
        .collect();
    for (planted, (_, in_orders, in_payments)) in planted.iter().zip(PLACES_OF_REFUNDS) {
        planted.plant_healthy(&orders, &payments).await;
        planted.give_up(&orders).await;
        planted.run(&orders, in_orders).await;
        planted.run(&payments, in_payments).await;
    }
    planted[0].run(&orders, PUBLISHED).await;
    let audit = shop.audit(&["--stuck-after", "3600"]).await;
    audit.assert_holds();
    let seen = &audit.report["seen"];
    assert_eq!(
        (&seen["refunding"], &seen["in_flight"], &seen["refunded"]),
        (&json!(4), &json!(4), &json!(1))
    );
    let arguments = [&ALL_EXAMPLES[..], &["--stuck-after", "0"]].concat();
    let audit = shop.audit(&arguments).await;
    let places = PLACES_OF_REFUNDS.iter();
    let stuck_at: serde_json::Map<_, _> = places
        .map(|(place, _, _)| ((*place).to_owned(), json!(1)))
        .collect();
    assert_eq!(
        audit.report["stuck_at"],
        json!(stuck_at),
        "{:#}",
        audit.report
    );
}
