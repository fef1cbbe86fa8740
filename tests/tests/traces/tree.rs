//! The spans of one order, and those of one refund, make one connected tree, and each message's span is linked into it.

use std::collections::BTreeMap;

use tests::{
    Collector,
    collector::{Place, Span},
    shop::Layout,
};

use crate::way::{SOON, of_trace, order, refund, shop};

/// What is expected of a request's trace.
struct Tree {
    /// Each span with its service, kind and parent: in one process and in many it is the same.
    spans: [(&'static str, &'static str, &'static str, &'static str); 6],
    /// The version of the order that the last of them tells of; the one before it may be told, too.
    version: i32,
}

const ORDER: Tree = Tree {
    spans: [
        ("POST /api/v1/orders", "gozon-order", "Server", ""),
        (
            "create gozon.events:order.placed.v1",
            "gozon-order",
            "Producer",
            "POST /api/v1/orders",
        ),
        (
            "process gozon.events:order.placed.v1:payment.orders.v1",
            "gozon-payment",
            "Consumer",
            "create gozon.events:order.placed.v1",
        ),
        (
            "create gozon.events:payment.captured.v1",
            "gozon-payment",
            "Producer",
            "process gozon.events:order.placed.v1:payment.orders.v1",
        ),
        (
            "process gozon.events:payment.captured.v1:order.payments.v1",
            "gozon-order",
            "Consumer",
            "create gozon.events:payment.captured.v1",
        ),
        (
            PUSH,
            "gozon-order",
            "Producer",
            "process gozon.events:payment.captured.v1:order.payments.v1",
        ),
    ],
    version: 2,
};

const REFUND: Tree = Tree {
    spans: [
        (
            "POST /api/v1/orders/{id}/cancel",
            "gozon-order",
            "Server",
            "",
        ),
        (
            "create gozon.events:refund.requested.v1",
            "gozon-order",
            "Producer",
            "POST /api/v1/orders/{id}/cancel",
        ),
        (
            "process gozon.events:refund.requested.v1:payment.orders.v1",
            "gozon-payment",
            "Consumer",
            "create gozon.events:refund.requested.v1",
        ),
        (
            "create gozon.events:payment.refunded.v1",
            "gozon-payment",
            "Producer",
            "process gozon.events:refund.requested.v1:payment.orders.v1",
        ),
        (
            "process gozon.events:payment.refunded.v1:order.payments.v1",
            "gozon-order",
            "Consumer",
            "create gozon.events:payment.refunded.v1",
        ),
        (
            PUSH,
            "gozon-order",
            "Producer",
            "process gozon.events:payment.refunded.v1:order.payments.v1",
        ),
    ],
    version: 4,
};

const PUSH: &str = "push order status";

#[tokio::test]
async fn one_process_records_an_order_as_one_tree() {
    check_order(Layout::Together, "grpc").await;
}

#[tokio::test]
async fn separate_processes_record_an_order_as_one_tree() {
    check_order(Layout::Separately, "http").await;
}

#[tokio::test]
async fn separate_processes_record_a_refund_as_one_tree_of_the_cancellation() {
    let collector = Collector::start().await;
    let shop = shop(Layout::Separately, &collector, "grpc", "1").await;
    let (order, trace_id) = refund(&shop).await;
    let spans = whole(&collector, &trace_id, &REFUND).await;
    let trace = of_trace(&spans, &trace_id);
    check_tree(&trace, &REFUND);
    let push = told(&trace, REFUND.version).unwrap();
    assert_eq!(push.says("gozon.order.id"), order.id.to_string());
    assert_eq!(push.says("gozon.order.status"), "CANCELLED");
    for publish in publishes(&spans, &trace) {
        check_publish(publish);
    }
}

async fn check_order(layout: Layout, protocol: &str) {
    let collector = Collector::start().await;
    let shop = shop(layout, &collector, protocol, "1").await;
    let (order, trace_id) = order(&shop, None).await;
    let spans = whole(&collector, &trace_id, &ORDER).await;
    let trace = of_trace(&spans, &trace_id);
    check_tree(&trace, &ORDER);
    check_attributes(&trace, &order.id.to_string());
    for publish in publishes(&spans, &trace) {
        check_publish(publish);
    }
}

/// All spans that there are, once both messages of the trace are published, its end is told, and each step is there: those
/// of one process come in batches, and not in the order of what happened.
async fn whole(collector: &Collector, trace_id: &str, tree: &Tree) -> Vec<Span> {
    let is_whole = |spans: &[Span]| {
        let trace = of_trace(spans, trace_id);
        let is_there = |name| trace.iter().any(|span| span.name == name);
        told(&trace, tree.version).is_some()
            && publishes(spans, &trace).len() == 2
            && tree.spans.iter().all(|(name, ..)| is_there(*name))
    };
    collector
        .until("all spans of a trace", SOON, is_whole)
        .await
}

/// Every span of the tree is there once, with the right parent, and there is no other but the push of the version before.
fn check_tree(trace: &[&Span], tree: &Tree) {
    let named: BTreeMap<&str, &Span> = tree
        .spans
        .iter()
        .map(|(name, ..)| match *name {
            PUSH => (PUSH, told(trace, tree.version).unwrap()),
            name => (name, find(trace, name)),
        })
        .collect();
    for (name, service, kind, parent) in tree.spans {
        let span = named[name];
        assert_eq!(span.service, service, "{name}");
        assert_eq!(format!("{:?}", span.kind), kind, "{name}");
        let expected = match parent {
            "" => "",
            parent => &named[parent].at.span_id,
        };
        assert_eq!(span.parent, expected, "the parent of {name}");
        assert!(!span.failed, "{name}");
        assert!(span.nanoseconds > 0, "{name}");
        let creation = named.get(parent).filter(|_| kind == "Consumer");
        let links: Vec<Place> = creation.map(|span| span.at.clone()).into_iter().collect();
        assert_eq!(span.links, links, "the links of {name}");
    }
    let before = told(trace, tree.version - 1).into_iter();
    assert_eq!(trace.len(), tree.spans.len() + before.count(), "{trace:#?}");
}

fn check_attributes(trace: &[&Span], order_id: &str) {
    let server = find(trace, "POST /api/v1/orders");
    for (name, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/api/v1/orders"),
        ("http.response.status_code", "201"),
    ] {
        assert_eq!(server.says(name), value, "{name}");
    }
    for (operation, queue, destination) in [
        ("create", "", "gozon.events:order.placed.v1"),
        (
            "process",
            ":payment.orders.v1",
            "gozon.events:order.placed.v1",
        ),
        ("create", "", "gozon.events:payment.captured.v1"),
        (
            "process",
            ":order.payments.v1",
            "gozon.events:payment.captured.v1",
        ),
    ] {
        let span = find(trace, &format!("{operation} {destination}{queue}"));
        assert_eq!(span.says("messaging.system"), "rabbitmq");
        assert_eq!(span.says("messaging.operation.name"), operation);
        assert_eq!(span.says("messaging.operation.type"), operation);
        let (_, routing_key) = destination.split_once(':').unwrap();
        assert_eq!(
            span.says("messaging.rabbitmq.destination.routing_key"),
            routing_key
        );
        assert_eq!(
            span.says("messaging.destination.name"),
            format!("{destination}{queue}")
        );
        assert_eq!(span.says("messaging.message.id").len(), 36);
        if operation == "process" {
            assert_eq!(span.says("gozon.outcome"), "fresh");
        }
    }
    let push = told(trace, ORDER.version).unwrap();
    assert_eq!(push.says("gozon.order.id"), order_id);
    assert_eq!(push.says("gozon.order.status"), "FINISHED");
}

/// A message is sent on its own account, for all the events it carries.
fn check_publish(publish: &Span) {
    assert_eq!(publish.service, "gozon-relay");
    assert_eq!(format!("{:?}", publish.kind), "Client");
    assert_eq!(publish.parent, "", "a publish is a root");
    assert!(!publish.failed);
    assert_eq!(publish.says("messaging.system"), "rabbitmq");
    assert_eq!(publish.says("messaging.operation.name"), "publish");
    assert_eq!(publish.says("messaging.operation.type"), "send");
    let count = publish.says("messaging.batch.message_count");
    assert_eq!(count, publish.links.len().to_string(), "all are recorded");
    assert_eq!(publish.says("gozon.attempt"), "1");
}

/// The `publish` spans linked to a `create` of this trace.
fn publishes<'s>(spans: &'s [Span], trace: &[&Span]) -> Vec<&'s Span> {
    let is_create = |place: &Place| {
        let created = trace.iter().filter(|span| span.name.starts_with("create "));
        created.into_iter().any(|span| span.at == *place)
    };
    let published = spans
        .iter()
        .filter(|span| span.name.starts_with("publish "));
    published
        .filter(|span| span.links.iter().any(is_create))
        .collect()
}

/// The push that told this version of the order.
fn told<'s>(trace: &[&'s Span], version: i32) -> Option<&'s Span> {
    let mut pushes = trace.iter().filter(|span| span.name == PUSH);
    pushes
        .find(|span| span.says("gozon.order.version") == version.to_string())
        .copied()
}

fn find<'s>(trace: &[&'s Span], name: &str) -> &'s Span {
    let found: Vec<_> = trace.iter().filter(|span| span.name == name).collect();
    assert_eq!(found.len(), 1, "spans named {name}: {trace:#?}");
    found[0]
}
