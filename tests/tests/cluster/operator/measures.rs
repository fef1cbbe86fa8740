//! What the operators measure, as Prometheus finds it: where a shop is alone nobody can ask for that.

use serde_json::{Value, json};
use tests::{poll::poll_for, poll_until};

use super::{SOON, shop};
use crate::{metrics::shows_something, prometheus::Prometheus};

/// What is theirs begins so.
const OF_OPERATORS: &str = "gozon_operator_";

#[tokio::test]
async fn every_panel_of_operators_has_data_and_exactly_one_acts() {
    let namespace = shop().await;
    let dashboards = namespace.get(&["configmap", "gozon-dashboards"]).await;
    let runtime = dashboards["data"]["runtime.json"].as_str().unwrap();
    let runtime: Value = serde_json::from_str(runtime).unwrap();
    let panels = runtime["panels"].as_array().unwrap().iter();
    let mut empty: Vec<_> = panels
        .filter(|panel| panel["targets"].to_string().contains(OF_OPERATORS))
        .collect();
    assert!(empty.len() >= 2, "{empty:#?}");
    let spec = json!({"service": "payment", "dryRun": true});
    let looked_at = json!({
        "apiVersion": "gozon.io/v1alpha1", "kind": "Redrive", "metadata": {"name": "measured"}, "spec": spec,
    });
    namespace.apply(looked_at).await;
    let prometheus = Prometheus::start(namespace, "operator").await;
    prometheus.discover().await;
    let filled = poll_for(SOON, async || {
        let mut still = Vec::new();
        for panel in empty.drain(..) {
            if !shows_something(&prometheus, panel).await {
                still.push(panel);
            }
        }
        empty = still;
        empty.is_empty().then_some(())
    })
    .await;
    let titles: Vec<_> = empty.iter().map(|panel| &panel["title"]).collect();
    assert!(filled.is_some(), "empty: {titles:?}");
    namespace.kubectl(&["delete", "redrive", "measured"]).await;
    // What the alert asks about.
    poll_until("one of two acts", SOON, async || {
        let all = prometheus.ask("count(gozon_operator_leads)").await;
        let acting = prometheus
            .ask("sum by (namespace) (gozon_operator_leads)")
            .await;
        (value(&all) == Some("2") && value(&acting) == Some("1")).then_some(())
    })
    .await;
}

fn value(series: &[Value]) -> Option<&str> {
    series.first()?["value"][1].as_str()
}
