//! Prometheus as charts/gozon-deps configures it: it finds every role, and the overview has something to show.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;
use tests::poll::poll_for;

use crate::{inside, namespace::Namespace, prometheus::Prometheus, visitors::Visitors};

/// Prometheus looks for pods, asks each and evaluates its rules within this time.
const KNOWN_WITHIN: Duration = Duration::from_mins(3);

/// A panel shows at least so much of the past.
const SHOWN: &str = "15m";

/// What a dashboard fills in.
const FILLED_IN: [(&str, &str); 4] = [
    ("$namespace", ".*"),
    ("$job", ".*"),
    ("$__rate_interval", "30s"),
    ("$__range", SHOWN),
];

#[tokio::test]
async fn prometheus_finds_every_replica_of_every_role() {
    let namespace = inside::shop().await;
    let prometheus = Prometheus::start(namespace, "roles").await;
    let expected = ["order", "payment", "relay-orders", "relay-payments", "web"]
        .map(|role| (role.to_owned(), "2".to_owned()));
    let expected = BTreeMap::from(expected);
    let mut seen = BTreeMap::new();
    let found = poll_for(KNOWN_WITHIN, async || {
        prometheus.discover().await;
        let series = prometheus
            .ask(r#"sum by (role) (up{job="gozon"} == 1)"#)
            .await;
        let known = series.iter().map(|one| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            (text(&one["metric"]["role"]), text(&one["value"][1]))
        });
        seen = known.collect();
        (seen == expected).then_some(())
    })
    .await;
    assert!(found.is_some(), "{seen:?}");
}

#[tokio::test]
async fn no_panel_of_the_overview_is_empty() {
    let namespace = inside::shop().await;
    let dashboards = namespace.get(&["configmap", "gozon-dashboards"]).await;
    let overview = dashboards["data"]["overview.json"]
        .as_str()
        .expect("the chart brings an overview");
    let overview: Value = serde_json::from_str(overview).unwrap();
    let panels = overview["panels"].as_array().unwrap();
    let mut empty: Vec<_> = panels
        .iter()
        .filter(|panel| panel["type"] != "row")
        .collect();
    assert!(!empty.is_empty(), "the overview has no panels");
    let prometheus = Prometheus::start(namespace, "overview").await;
    prometheus.discover().await;
    let visitors = Visitors::come(namespace, 4_000_000).await;
    scale_relays(namespace, "0").await;
    let filled = poll_for(KNOWN_WITHIN, async || {
        prometheus.discover().await;
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
    scale_relays(namespace, "2").await;
    visitors.leave().await;
    let titles: Vec<_> = empty.iter().map(|panel| &panel["title"]).collect();
    assert!(filled.is_some(), "empty: {titles:?}");
}

/// How many relays of the payments there are. None at all is an alarm, without which the panel of alerts is rightly empty;
/// orders placed meanwhile wait for the next.
async fn scale_relays(namespace: &Namespace, replicas: &str) {
    let replicas = format!("--replicas={replicas}");
    namespace
        .kubectl(&["scale", "deployment/gozon-relay-payments", &replicas])
        .await;
}

/// True when one of its queries has had data in the time that it shows.
pub(crate) async fn shows_something(prometheus: &Prometheus, panel: &Value) -> bool {
    for target in panel["targets"].as_array().into_iter().flatten() {
        let mut query = target["expr"].as_str().unwrap().to_owned();
        for (variable, value) in FILLED_IN {
            query = query.replace(variable, value);
        }
        let shown = format!("last_over_time(({query})[{SHOWN}:15s])");
        if !prometheus.ask(&shown).await.is_empty() {
            return true;
        }
    }
    false
}
