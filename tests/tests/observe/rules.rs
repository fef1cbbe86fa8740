//! The rules' files: what Prometheus checks of them, and that each alert was tried and has its runbook.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde::Deserialize;

use crate::{
    files, in_checkout,
    promql::{assert_counts_nothing_twice, parse},
};

const RULES: &str = "charts/gozon/files/rules";
const TESTS: &str = "tests/observe";

#[derive(Debug, Deserialize)]
struct RuleFile {
    groups: Vec<Group>,
}

#[derive(Debug, Deserialize)]
struct Group {
    name: String,
    rules: Vec<Rule>,
}

/// A recording rule or an alert.
#[derive(Debug, Deserialize)]
pub(crate) struct Rule {
    pub(crate) record: Option<String>,
    pub(crate) alert: Option<String>,
    pub(crate) expr: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct TestFile {
    tests: Vec<Case>,
}

#[derive(Debug, Deserialize)]
struct Case {
    alert_rule_test: Vec<Expectation>,
}

#[derive(Debug, Deserialize)]
struct Expectation {
    alertname: String,
    exp_alerts: Vec<serde_json::Value>,
}

/// All of them, in the order of their files.
pub(crate) fn rules() -> Vec<Rule> {
    groups().into_iter().flat_map(|group| group.rules).collect()
}

fn groups() -> Vec<Group> {
    files(RULES, ".yaml")
        .iter()
        .flat_map(|(name, text)| {
            let file: RuleFile =
                serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            file.groups
        })
        .collect()
}

fn alerts() -> Vec<(String, Rule)> {
    rules()
        .into_iter()
        .filter_map(|rule| Some((rule.alert.clone()?, rule)))
        .collect()
}

#[test]
fn prometheus_takes_the_rules() {
    promtool(&["check", "rules"], RULES, ".yaml");
}

#[test]
fn alerts_fire_when_they_should_and_only_then() {
    promtool(&["test", "rules"], TESTS, ".test.yaml");
}

#[test]
fn each_alert_is_tried_firing_and_quiet() {
    let mut tried: BTreeMap<String, BTreeSet<bool>> = BTreeMap::new();
    for (name, text) in files(TESTS, ".test.yaml") {
        let file: TestFile =
            serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        for expectation in file.tests.into_iter().flat_map(|case| case.alert_rule_test) {
            let fires = !expectation.exp_alerts.is_empty();
            tried
                .entry(expectation.alertname)
                .or_default()
                .insert(fires);
        }
    }
    let both = BTreeSet::from([false, true]);
    for (alert, _) in alerts() {
        assert_eq!(tried.remove(&alert), Some(both.clone()), "{alert}");
    }
    assert!(tried.is_empty(), "no such alerts: {tried:?}");
}

#[test]
fn each_alert_says_how_urgent_it_is_what_is_wrong_and_what_to_read() {
    let mut names = BTreeSet::new();
    for (name, rule) in alerts() {
        assert!(name.starts_with("Gozon"), "{name}: others have alerts, too");
        assert!(names.insert(name.clone()), "there are two of {name}");
        let severity = rule.labels["severity"].as_str();
        assert!(matches!(severity, "page" | "ticket"), "{name}: {severity}");
        for annotation in ["summary", "description"] {
            assert!(!rule.annotations[annotation].is_empty(), "{name}");
        }
        let runbook = format!("charts/gozon/runbooks/{name}.md");
        assert_eq!(rule.annotations["runbook_url"], runbook);
        assert!(in_checkout(&runbook).is_file(), "there is no {runbook}");
    }
    let runbooks = files("charts/gozon/runbooks", ".md");
    let runbooks: BTreeSet<String> = runbooks.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, runbooks);
}

#[test]
fn recorded_series_are_named_by_level_metric_and_operation() {
    let mut groups_seen = BTreeSet::new();
    for group in groups() {
        assert!(group.name.starts_with("gozon-"), "{}", group.name);
        assert!(
            groups_seen.insert(group.name.clone()),
            "there are two of {}",
            group.name
        );
    }
    for name in rules().into_iter().filter_map(|rule| rule.record) {
        let parts: Vec<&str> = name.split(':').collect();
        assert!(
            matches!(parts.as_slice(), ["shop", metric, operation] if !metric.is_empty() && !operation.is_empty()),
            "{name}"
        );
    }
}

#[test]
fn each_expression_is_one_and_counts_nothing_twice() {
    for rule in rules() {
        parse(&rule.expr);
        assert_counts_nothing_twice(&rule.expr);
    }
}

fn promtool(command: &[&str], folder: &str, ending: &str) {
    let names = files(folder, ending);
    let output = Command::new("promtool")
        .current_dir(in_checkout(folder))
        .args(command)
        .args(names.iter().map(|(name, _)| format!("{name}{ending}")))
        .output()
        .expect(
            "promtool is on the PATH: `services/gozon/local/backing install --prometheus` installs it",
        );
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
