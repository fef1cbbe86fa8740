//! What the processes tell Prometheus: only what the table has, with real numbers, and exemplars for recorded traces.

use std::{collections::BTreeSet, time::Duration};

use tests::{
    Customer, Exposition, Role, Shop,
    customer::{Order, cancel_call, new_key, order_call, read},
    exposition::{Listed, catalogue},
    poll_until,
};

const SOON: Duration = Duration::from_secs(30);

/// A trace that its caller wants recorded.
const RECORDED: &str = "0af7651916cd43dd8448eb211c80319c";

/// What has no series until something happens that does not happen here: what goes wrong, and what another session does.
const WITHOUT_SERIES: [&str; 3] = [
    "gozon_telemetry_spans_total",
    "gozon_dead_letters_written_total",
    "gozon_postgres_oldest_snapshot_age_seconds",
];

/// Four orders of a customer who can pay for three, the last of them in the recorded trace; it is cancelled by a request
/// that comes twice. All are shown on a socket.
async fn place_orders(shop: &Shop) {
    let customer = Customer::with_balance(&shop.entrance(), 300).await;
    let mut socket = customer.follow(None).await;
    let traceparent = format!("00-{RECORDED}-b7ad6b7169203331-01");
    for price in [100, 100, 500] {
        let order = customer.place(price).await;
        socket.ended(order.id).await;
    }
    let call = order_call(&new_key(), 100).header("traceparent", &traceparent);
    let order: Order = read(customer.send(call).await.expect(201));
    let paid = socket.ended(order.id).await;
    let key = new_key();
    for _ in 0..2 {
        let answer = customer.send(cancel_call(&key, &paid)).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
    }
    socket.ended(paid.id).await;
}

async fn told(shop: &Shop, role: Role) -> Exposition {
    Exposition::parse(&shop.metrics(role).await)
}

/// Waits until a process tells a number.
async fn tells(shop: &Shop, role: Role, name: &str, labels: &[(&str, &str)], value: f64) {
    let what = format!("{role:?} tells {name}{labels:?} {value}");
    poll_until(&what, SOON, async || {
        let told = told(shop, role).await.sum(name, labels)?;
        ((told - value).abs() < 1e-9).then_some(())
    })
    .await;
}

/// The name under which the table has a sample, and the labels that its type adds.
fn base(name: &str) -> (&str, Option<&'static str>) {
    for (suffix, label) in [("_bucket", Some("le")), ("_sum", None), ("_count", None)] {
        if let Some(base) = name.strip_suffix(suffix) {
            return (base, label);
        }
    }
    (name, None)
}

/// Every sample is of a metric in the table and has that metric's labels; says which metrics had one.
async fn check_against_the_table(shop: &Shop, roles: &[Role]) -> BTreeSet<String> {
    let table = catalogue().await;
    let mut seen = BTreeSet::new();
    for role in roles {
        for sample in told(shop, *role).await.samples {
            let own = table.get(&sample.name).map(|listed| (listed, None));
            let (listed, added): (&Listed, _) = own
                .or_else(|| {
                    let (base, added) = base(&sample.name);
                    let listed = table.get(base).filter(|it| it.kind == "histogram");
                    Some((listed?, added))
                })
                .unwrap_or_else(|| panic!("{role:?}: {} is not in the table", sample.name));
            let mut labels = listed.labels.clone();
            labels.extend(added.map(str::to_owned));
            let told: BTreeSet<_> = sample.labels.keys().cloned().collect();
            assert_eq!(told, labels, "{role:?}: {}", sample.name);
            assert!(listed.traced || sample.exemplar.is_none(), "{sample:?}");
            seen.insert(listed.name.clone());
        }
    }
    seen
}

/// A sample: its name, labels that single it out, and its value.
type Told = (&'static str, &'static [Label], f64);
type Label = (&'static str, &'static str);

const OUTBOX: Label = ("database", "orders");
const QUEUE: Label = ("queue", "payment.orders.v1");
const POSTED: &[Label] = &[
    ("http_request_method", "POST"),
    ("http_route", "/api/v1/orders"),
    ("http_response_status_code", "201"),
];
const PUBLISHED: &[Label] = &[
    ("messaging_operation_name", "publish"),
    ("messaging_destination_name", "gozon.events:order.placed.v1"),
    ("error_type", ""),
];
const PROCESSED: &[Label] = &[
    ("messaging_operation_name", "process"),
    (
        "messaging_destination_name",
        "gozon.events:order.placed.v1:payment.orders.v1",
    ),
    ("error_type", ""),
];

/// What a shop tells after four orders, of which three were paid and one of those was cancelled.
const EXPECTED: &[Told] = &[
    ("http_server_request_duration_seconds_count", POSTED, 4.0),
    ("gozon_orders_placed_total", &[], 4.0),
    ("gozon_orders_decided_total", &[("status", "FINISHED")], 3.0),
    (
        "gozon_orders_decided_total",
        &[("status", "CANCELLED"), ("reason", "insufficient_funds")],
        1.0,
    ),
    ("gozon_order_settle_duration_seconds_count", &[], 4.0),
    (
        "gozon_payments_decided_total",
        &[("outcome", "captured")],
        3.0,
    ),
    (
        "gozon_payments_decided_total",
        &[("outcome", "declined"), ("reason", "insufficient_funds")],
        1.0,
    ),
    ("gozon_payments_repeated_total", &[], 0.0),
    ("gozon_refunds_requested_total", &[], 1.0),
    ("gozon_payments_refunded_total", &[], 1.0),
    ("gozon_orders_refunded_total", &[], 1.0),
    ("messaging_client_sent_messages_total", PUBLISHED, 4.0),
    ("messaging_process_duration_seconds_count", PROCESSED, 4.0),
    (
        "gozon_inbox_messages_total",
        &[QUEUE, ("outcome", "fresh")],
        5.0,
    ),
    ("gozon_event_sockets", &[], 0.0),
    (
        "gozon_event_sockets_closed_total",
        &[("reason", "gone")],
        1.0,
    ),
    ("gozon_undecided_orders", &[], 0.0),
    ("gozon_outbox_pending", &[OUTBOX], 0.0),
    ("gozon_outbox_oldest_age_seconds", &[OUTBOX], 0.0),
    ("gozon_outbox_partitions_ahead", &[OUTBOX], 7.0),
    ("gozon_lanes_without_owner", &[OUTBOX], 0.0),
    ("gozon_relays_alive", &[OUTBOX], 1.0),
    ("gozon_relay_lanes_owned", &[OUTBOX], 64.0),
    ("gozon_relay_connected", &[OUTBOX], 1.0),
    ("gozon_relay_blocked", &[OUTBOX], 0.0),
    ("gozon_consumer_connected", &[QUEUE], 1.0),
    ("gozon_consumer_unacknowledged_messages", &[QUEUE], 0.0),
    ("gozon_queue_ready_messages", &[QUEUE], 0.0),
    ("gozon_queue_consumers", &[QUEUE], 1.0),
    ("gozon_dead_letters", &[QUEUE], 0.0),
    ("gozon_deferred_events", &[QUEUE], 0.0),
    ("gozon_database_up", &[OUTBOX], 1.0),
    ("gozon_ledger_drift_accounts", &[], 0.0),
    ("gozon_log_lines_total", &[("level", "error")], 0.0),
];

#[tokio::test]
async fn the_numbers_of_a_shop_are_those_of_its_orders() {
    let shop = Shop::start_all().await;
    place_orders(&shop).await;
    for (name, labels, value) in EXPECTED {
        tells(&shop, Role::All, name, labels, *value).await;
    }
    let told = told(&shop, Role::All).await;
    assert!(told.sum("gozon_pushed_orders_total", &[]).unwrap() >= 4.0);
    assert!(told.sum("process_resident_memory_bytes", &[]).unwrap() > 1e6);
    assert!(told.sum("gozon_runtime_busy_seconds_total", &[]).unwrap() > 0.0);
    let second = told.sum(
        "gozon_order_settle_duration_seconds_bucket",
        &[("le", "1.0")],
    );
    assert!(second.is_some(), "the objective's second is a bucket");
    for histogram in [
        "http_server_request_duration_seconds_bucket",
        "gozon_order_settle_duration_seconds_bucket",
        "gozon_push_lag_seconds_bucket",
        "messaging_client_operation_duration_seconds_bucket",
        "messaging_process_duration_seconds_bucket",
    ] {
        let traces: BTreeSet<_> = told
            .of(histogram, &[])
            .filter_map(|sample| sample.exemplar.as_ref()?.get("trace_id"))
            .collect();
        assert_eq!(
            traces,
            BTreeSet::from([&RECORDED.to_owned()]),
            "{histogram}"
        );
    }
}

#[tokio::test]
async fn every_process_tells_only_what_the_table_has_and_together_all_of_it() {
    let shop = Shop::start_separately().await;
    place_orders(&shop).await;
    let roles = [
        Role::Order(1),
        Role::Order(2),
        Role::Payment(1),
        Role::OrdersRelay(1),
        Role::PaymentsRelay(1),
        Role::Web,
    ];
    // What is read every few seconds was read by then.
    tells(
        &shop,
        Role::Payment(1),
        "gozon_ledger_drift_accounts",
        &[],
        0.0,
    )
    .await;
    for (role, queue) in [
        (Role::OrdersRelay(1), "payment.orders.v1"),
        (Role::PaymentsRelay(1), "order.payments.v1"),
    ] {
        let queue = [("queue", queue)];
        tells(&shop, role, "gozon_queue_ready_messages", &queue, 0.0).await;
    }
    let seen = check_against_the_table(&shop, &roles).await;
    let missing: Vec<_> = catalogue()
        .await
        .into_keys()
        .filter(|name| !seen.contains(name) && !WITHOUT_SERIES.contains(&name.as_str()))
        // An operator needs a cluster.
        .filter(|name| !name.starts_with("gozon_operator_"))
        .collect();
    assert_eq!(missing, Vec::<String>::new(), "metrics without a series");
}
