//! Who begins a trace decides whether it is recorded, and everyone after it goes along.

use tests::{Collector, shop::Layout};

use crate::way::{SOON, of_trace, order, shop};

#[tokio::test]
async fn a_callers_decision_holds_through_all_services() {
    const RECORDED: &str = "0af7651916cd43dd8448eb211c80319c";
    const UNRECORDED: &str = "1bf7651916cd43dd8448eb211c80319c";
    let collector = Collector::start().await;
    let shop = shop(Layout::Together, &collector, "grpc", "0").await;
    let parent = |trace_id, flags| format!("00-{trace_id}-b7ad6b7169203331-{flags}");

    let (_, own) = order(&shop, None).await;
    let (_, unrecorded) = order(&shop, Some(&parent(UNRECORDED, "00"))).await;
    // A random trace id (W3C trace context level 2), and not sampled.
    let random = parent("2cf7651916cd43dd8448eb211c80319d", "02");
    let (_, random) = order(&shop, Some(&random)).await;
    let (_, recorded) = order(&shop, Some(&parent(RECORDED, "01"))).await;
    assert_eq!((&*unrecorded, &*recorded), (UNRECORDED, RECORDED));

    let spans = collector
        .until("the spans of the recorded order", SOON, |spans| {
            let trace = of_trace(spans, RECORDED);
            trace.iter().any(|span| span.name == "push order status")
        })
        .await;
    let server = spans.iter().find(|span| span.name == "POST /api/v1/orders");
    assert_eq!(server.unwrap().parent, "b7ad6b7169203331");
    // What ended before the last push of the recorded one was exported before it, or with it.
    let publishes = spans
        .iter()
        .filter(|span| span.name.starts_with("publish "));
    for link in publishes.flat_map(|span| &span.links) {
        assert_eq!(link.trace_id, RECORDED);
    }
    for trace_id in [UNRECORDED, &own, &random] {
        assert_eq!(of_trace(&spans, trace_id).len(), 0, "{trace_id}");
    }
}
