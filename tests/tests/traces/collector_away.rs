//! A dead collector costs no order, and shows.

use tests::{Customer, Instance, Role, Shop, http_client, poll_until, shop::Layout};

use crate::way::SOON;

#[tokio::test]
async fn a_dead_collector_costs_no_order_and_shows_as_a_metric() {
    const ORDERS: usize = 20;
    // Nobody listens on the port of TCP that is never used.
    let settings = [
        ("GOZON_OTLP_ENDPOINT", "http://127.0.0.1:1"),
        ("GOZON_TRACE_RATIO", "1"),
    ];
    let shop = Shop::start_with(&Instance::OfThisRun, Layout::Together, &settings).await;
    let customer = Customer::with_balance(&shop.entrance(), 100).await;
    let mut placed = Vec::new();
    for _ in 0..ORDERS {
        placed.push(customer.place(1).await);
    }
    customer.ended(&placed, SOON).await;
    let metrics = shop.admin_url(Role::All).join("/metrics").unwrap();
    let failed = poll_until("spans that failed", SOON, async || {
        let answer = http_client().get(metrics.clone()).send().await.ok()?;
        failed_spans(&answer.text().await.ok()?)
    })
    .await;
    assert!(failed > 0.0, "{failed}");
    shop.stop(Role::All).await;
}

fn failed_spans(metrics: &str) -> Option<f64> {
    let failed = r#"gozon_telemetry_spans_total{service="gozon-order",outcome="failed"} "#;
    let count = metrics.lines().find_map(|line| line.strip_prefix(failed))?;
    count.parse().ok().filter(|count| *count > 0.0)
}
