//! A dead collector, and one that never answers, cost no order, and show.

use std::time::Duration;

use tests::{Customer, Instance, Role, Shop, exposition::Exposition, poll_until, shop::Layout};
use tokio::net::TcpListener;

use crate::way::SOON;

/// Far beyond what the last export may take, far below what a process is given to stop.
const STOPPED_WITHIN: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_dead_collector_costs_no_order_and_shows_as_a_metric() {
    // Nobody listens on the port of TCP that is never used.
    orders_end_and_spans_fail("http://127.0.0.1:1", "grpc").await;
}

#[tokio::test]
async fn a_collector_that_takes_connections_and_never_answers_holds_up_nothing_not_even_a_stop() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let silence = async {
        let mut open = Vec::new();
        loop {
            open.push(listener.accept().await.unwrap());
        }
    };
    let orders = async {
        for protocol in ["grpc", "http"] {
            orders_end_and_spans_fail(&endpoint, protocol).await;
        }
    };
    tokio::select! {
        never = silence => never,
        () = orders => {}
    }
}

async fn orders_end_and_spans_fail(endpoint: &str, protocol: &str) {
    const ORDERS: usize = 20;
    let settings = [
        ("GOZON_OTLP_ENDPOINT", endpoint),
        ("GOZON_OTLP_PROTOCOL", protocol),
        ("GOZON_TRACE_RATIO", "1"),
    ];
    let shop = Shop::start_with(&Instance::OfThisRun, Layout::Together, &settings).await;
    let customer = Customer::with_balance(&shop.entrance(), 100).await;
    let mut placed = Vec::new();
    for _ in 0..ORDERS {
        placed.push(customer.place(1).await);
    }
    customer.ended(&placed, SOON).await;
    let labels = [("service", "gozon-order"), ("outcome", "failed")];
    let failed = poll_until("spans that failed", SOON, async || {
        let metrics = Exposition::parse(&shop.metrics(Role::All).await);
        let failed = metrics.sum("gozon_telemetry_spans_total", &labels);
        failed.filter(|spans| *spans > 0.0)
    })
    .await;
    assert!(failed > 0.0, "{failed}");
    let with_spans = customer.place(1).await;
    customer.ended(&[with_spans], SOON).await;
    let took = shop.stop(Role::All).await;
    assert!(took < STOPPED_WITHIN, "the stop took {took:?}");
}
