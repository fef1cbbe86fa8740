//! Dashboards and rules at a running shop: whatever they ask for exists and has data, and whatever exists is asked for.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tests::{
    Collector, Instance, Prometheus, Role, Shop, exposition::catalogue, poll::poll_for,
    shop::Layout,
};

use crate::{
    dashboards::dashboards,
    in_checkout,
    load::{self, SETTINGS},
    promql::{OF_PROMETHEUS, filled_in, names, operands, parse},
    rules::rules,
};

/// Every query has data within this time.
const DATA_WITHIN: Duration = Duration::from_secs(90);

/// What the shop's life has reasons for: a message that cannot be settled, a queue that is lost, more requests than it is
/// let take, impatience, and a machine that has other things to do.
const TO_BE_EXPECTED: [&str; 7] = [
    "GozonDeadLetters",
    "GozonOrdersFailing",
    "GozonOrdersFailingSlowly",
    "GozonOrdersLate",
    "GozonOrdersLateSlowly",
    "GozonOrdersStuck",
    "GozonPushLagging",
];

/// What an operator measures, which a shop by itself has none of: a cluster's tests ask for it.
const OF_OPERATORS: &str = "gozon_operator_";

/// A panel shows at least so much of the past.
const SHOWN_MINUTES: u32 = 5;

/// A query, and the labels that its series must have.
#[derive(Debug)]
struct Question {
    asked_by: String,
    query: String,
    labels: BTreeSet<String>,
    exemplars: bool,
}

impl Question {
    fn is_of_operators(&self) -> bool {
        let names = names(&parse(&self.query));
        names.iter().any(|name| name.starts_with(OF_OPERATORS))
    }
}

#[tokio::test]
async fn every_panel_and_rule_has_data_of_a_running_shop_and_names_only_what_exists() {
    let collector = Collector::start().await;
    let settings = [
        &SETTINGS[..],
        &[("GOZON_OTLP_ENDPOINT", &collector.endpoint)],
    ]
    .concat();
    let shop = Shop::start_with(&Instance::OfThisRun, Layout::Together, &settings).await;
    let rules = in_checkout("charts/gozon/files/rules");
    let prometheus = Prometheus::start(&[shop.admin_url(Role::All)], &rules).await;
    assert_names_exist(&shop.metrics(Role::All).await).await;
    let over = AtomicBool::new(false);
    let asked = async {
        all_have_data(&prometheus).await;
        assert_rules_are_well(&prometheus).await;
        over.store(true, Ordering::Relaxed);
    };
    tokio::join!(asked, load::life(&shop, &over));
}

#[tokio::test]
async fn every_metric_is_shown_or_watched_or_marked_as_diagnostic() {
    let used: BTreeSet<String> = questions()
        .iter()
        .flat_map(|one| names(&parse(&one.query)))
        .collect();
    for (name, metric) in catalogue().await {
        let series = series_of(&name);
        let is_used = series.iter().any(|series| used.contains(series));
        assert!(
            is_used || metric.diagnostic,
            "{name} is asked for by nobody"
        );
        assert!(
            !(is_used && metric.diagnostic),
            "{name} is asked for, so it is not for diagnosis only"
        );
    }
}

/// All queries, as Prometheus gets them; of a rule, what it compares or takes the place of what is missing.
fn questions() -> Vec<Question> {
    let mut questions = Vec::new();
    for dashboard in dashboards() {
        for panel in &dashboard.panels {
            questions.extend(panel.targets.iter().map(|target| {
                Question {
                    asked_by: format!("{}: {}", dashboard.uid, panel.title),
                    query: filled_in(&target.expr),
                    labels: target
                        .legend_labels()
                        .into_iter()
                        .map(str::to_owned)
                        .collect(),
                    exemplars: target.exemplar,
                }
            }));
        }
    }
    for rule in rules() {
        let asked_by = rule
            .alert
            .as_ref()
            .or(rule.record.as_ref())
            .unwrap()
            .clone();
        let queries = operands(&parse(&rule.expr)).into_iter();
        questions.extend(queries.map(|query| Question {
            asked_by: asked_by.clone(),
            query,
            labels: BTreeSet::new(),
            exemplars: false,
        }));
    }
    questions
}

/// Each series that is asked for is one that the shop shows, a rule records, or Prometheus makes.
async fn assert_names_exist(metrics: &str) {
    let mut known: BTreeSet<String> = OF_PROMETHEUS.map(str::to_owned).into();
    let all = catalogue().await;
    let of_operators = all.keys().filter(|name| name.starts_with(OF_OPERATORS));
    known.extend(of_operators.flat_map(|name| series_of(name)));
    known.extend(rules().into_iter().filter_map(|rule| rule.record));
    for line in metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
    {
        known.extend(series_of(line.split(' ').next().unwrap()));
    }
    for question in questions() {
        for name in names(&parse(&question.query)) {
            assert!(
                known.contains(&name),
                "{} asks for {name}",
                question.asked_by
            );
        }
    }
}

/// The series that a metric of this name may have.
fn series_of(metric: &str) -> Vec<String> {
    let endings = ["", "_total", "_info", "_count", "_sum", "_bucket"];
    endings
        .iter()
        .map(|ending| format!("{metric}{ending}"))
        .collect()
}

/// Waits until every query has had data, and series with the labels that they are called by.
async fn all_have_data(prometheus: &Prometheus) {
    let mut waiting = questions();
    waiting.retain(|question| !question.is_of_operators());
    let all_did = poll_for(DATA_WITHIN, async || {
        let mut still = Vec::new();
        for question in waiting.drain(..) {
            if !has_data(prometheus, &question).await {
                still.push(question);
            }
        }
        waiting = still;
        waiting.is_empty().then_some(())
    })
    .await;
    let mut missing: BTreeMap<&str, Vec<&Question>> = BTreeMap::new();
    for question in &waiting {
        missing
            .entry(&question.asked_by)
            .or_default()
            .push(question);
    }
    assert!(
        all_did.is_some(),
        "without data after {DATA_WITHIN:?}: {missing:#?}"
    );
}

async fn has_data(prometheus: &Prometheus, question: &Question) -> bool {
    let found = prometheus.ask_back(&question.query, SHOWN_MINUTES).await;
    let has = |label: &String| found.iter().any(|series| series.labels[label].is_string());
    if found.is_empty() || !question.labels.iter().all(has) {
        return false;
    }
    if !question.exemplars {
        return true;
    }
    let exemplars = prometheus.exemplars(&question.query).await;
    exemplars
        .iter()
        .any(|labels| labels["trace_id"].is_string())
}

/// Prometheus evaluates each of them, and fires or expects to for the reasons there are.
async fn assert_rules_are_well(prometheus: &Prometheus) {
    let mut alarmed = BTreeSet::new();
    for rule in prometheus.rules().await {
        assert_eq!(rule["health"], "ok", "{rule}");
        if rule["type"] == "alerting" && rule["state"] != "inactive" {
            alarmed.insert(rule["name"].as_str().unwrap().to_owned());
        }
    }
    assert!(alarmed.contains("GozonDeadLetters"), "{alarmed:?}");
    alarmed.retain(|alert| !TO_BE_EXPECTED.contains(&&**alert));
    assert!(
        alarmed.is_empty(),
        "nothing is wrong that {alarmed:?} are about"
    );
}
