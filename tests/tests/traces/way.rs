//! An order and its spans, as the tests here ask for them.

use std::time::Duration;

use tests::{
    Collector, Customer, Instance, Shop,
    collector::Span,
    customer::{Order, cancel_call, new_key, order_call, read},
    shop::Layout,
};

/// Spans are exported a second after they ended.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A shop whose spans go to a collector.
pub(crate) async fn shop(
    layout: Layout,
    collector: &Collector,
    protocol: &str,
    ratio: &str,
) -> Shop {
    let settings = [
        ("GOZON_OTLP_ENDPOINT", &*collector.endpoint),
        ("GOZON_OTLP_PROTOCOL", protocol),
        ("GOZON_TRACE_RATIO", ratio),
    ];
    Shop::start_with(&Instance::OfThisRun, layout, &settings).await
}

/// Places an order that is paid, with a socket open, up to its decision on that socket; says its trace id.
pub(crate) async fn order(shop: &Shop, traceparent: Option<&str>) -> (Order, String) {
    let customer = Customer::with_balance(&shop.entrance(), 100).await;
    let mut socket = customer.follow(None).await;
    let mut call = order_call(&new_key(), 100);
    if let Some(traceparent) = traceparent {
        call = call.header("traceparent", traceparent);
    }
    let answer = customer.send(call).await;
    let trace_id = answer.headers["trace-id"].to_str().unwrap().to_owned();
    let order: Order = read(answer.expect(201));
    socket.ended(order.id).await;
    (order, trace_id)
}

/// Cancels a paid order, with a socket open, up to when that socket tells that its money is back; says the trace id of the
/// cancellation.
pub(crate) async fn refund(shop: &Shop) -> (Order, String) {
    let customer = Customer::with_balance(&shop.entrance(), 100).await;
    let mut socket = customer.follow(None).await;
    let placed = customer.place(100).await;
    let paid = socket.ended(placed.id).await;
    let answer = customer.send(cancel_call(&new_key(), &paid)).await;
    let trace_id = answer.headers["trace-id"].to_str().unwrap().to_owned();
    assert_eq!(answer.status, 202, "{}", answer.text);
    (socket.ended(paid.id).await, trace_id)
}

/// Those of a trace.
pub(crate) fn of_trace<'s>(spans: &'s [Span], trace_id: &str) -> Vec<&'s Span> {
    let spans = spans.iter();
    spans.filter(|span| span.at.trace_id == trace_id).collect()
}
