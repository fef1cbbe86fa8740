//! The catalogue: a table of every metric there is, for people. What a metric is called, means, and in which unit it counts
//! comes from its registration; its labels and what to do about it from [`ENTRIES`].

mod entries;

use std::{collections::BTreeMap, fmt::Write};

use chassis::{
    http::HttpMetrics,
    metrics::{PoolMetrics, registry, text},
    telemetry::{LogMetrics, SpanMetrics},
};

use self::entries::ENTRIES;
use super::databases::Databases;

/// What stands above the table.
const INTRODUCTION: &str = "# Metrics

Every process shows its metrics at `/metrics` of its admin port, as OpenMetrics; which there are depends on what it runs.
Times are in seconds and sizes in bytes. Histograms marked *traced* carry exemplars with the trace ids of recorded traces.
What is read from a whole database or broker is shown by every process that may read it: take the maximum over them, never
the sum. It is absent while it cannot be read. *Diagnostic* metrics are for looking, no panel and no alert uses them.

This table is written by `gozon metrics`; `make prepare` puts it here.
";

/// What a registry does not know of a metric.
#[derive(Debug)]
struct Entry {
    /// Its name, without the suffix that its type adds.
    name: &'static str,
    labels: &'static [&'static str],
    todo: &'static str,
    traced: bool,
    diagnostic: bool,
}

/// What a registry says of a metric.
#[derive(Debug, Default, PartialEq, Eq)]
struct Registered {
    help: String,
    kind: String,
    unit: String,
}

/// The whole catalogue as Markdown.
pub(crate) fn markdown() -> anyhow::Result<String> {
    let registered = registered()?;
    let mut table = INTRODUCTION.to_owned();
    table.push_str(
        "\n| metric | type | unit | labels | meaning | what to do |\n|---|---|---|---|---|---|\n",
    );
    for entry in ENTRIES.into_iter().flatten() {
        let unknown = Registered::default();
        let of = registered.get(entry.name).unwrap_or(&unknown);
        let kind = of.kind.as_str();
        let (suffix, traced) = (suffix(kind), if entry.traced { ", *traced*" } else { "" });
        let labels: Vec<_> = entry.labels.iter().map(|it| format!("`{it}`")).collect();
        let diagnostic = if entry.diagnostic {
            "*Diagnostic.* "
        } else {
            ""
        };
        writeln!(
            table,
            "| `{}{suffix}` | {kind}{traced} | {} | {} | {} | {diagnostic}{} |",
            entry.name,
            of.unit,
            labels.join(", "),
            of.help,
            entry.todo,
        )?;
    }
    Ok(table)
}

/// What is put behind the name of the one series that a metric of this type has for each label set.
fn suffix(kind: &str) -> &'static str {
    match kind {
        "counter" => "_total",
        "info" => "_info",
        _ => "",
    }
}

/// Everything that any role registers, by name. Inside a runtime, which is one of the things measured.
fn registered() -> anyhow::Result<BTreeMap<String, Registered>> {
    let mut registry = registry(env!("CARGO_PKG_VERSION"));
    LogMetrics::default().register(&mut registry);
    SpanMetrics::default().register(&mut registry);
    // They are of no more use once their names are known.
    let _ = HttpMetrics::register(&mut registry);
    let _ = PoolMetrics::register(&mut registry);
    let _ = Databases::register(&mut registry);
    let _ = messaging::metrics::Metrics::register(&mut registry);
    let _ = order::Metrics::register(&mut registry);
    let _ = payment::Metrics::register(&mut registry);
    let _ = operator::Metrics::register(&mut registry);
    Ok(described(&text(&registry)?))
}

/// What an exposition says of its metrics.
fn described(exposition: &str) -> BTreeMap<String, Registered> {
    let mut metrics: BTreeMap<String, Registered> = BTreeMap::new();
    for line in exposition.lines() {
        let mut words = line.splitn(4, ' ');
        let (Some("#"), Some(what), Some(name), Some(said)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        let of = metrics.entry(name.to_owned()).or_default();
        match what {
            "HELP" => said.clone_into(&mut of.help),
            "TYPE" => said.clone_into(&mut of.kind),
            _ => said.clone_into(&mut of.unit),
        }
    }
    metrics
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[tokio::test]
    async fn the_catalogue_has_every_metric_that_is_registered_and_no_other() {
        let registered = registered().unwrap();
        let registered: BTreeSet<_> = registered.keys().map(String::as_str).collect();
        let names: Vec<_> = ENTRIES.into_iter().flatten().map(|it| it.name).collect();
        let listed: BTreeSet<_> = names.iter().copied().collect();
        assert_eq!(listed, registered);
        assert_eq!(listed.len(), names.len(), "each once");
    }

    #[tokio::test]
    async fn every_metric_says_what_it_means_and_what_to_do() {
        let registered = registered().unwrap();
        for entry in ENTRIES.into_iter().flatten() {
            let help = &registered[entry.name].help;
            for text in [help, entry.todo] {
                assert!(
                    text.ends_with('.') && !text.ends_with(".."),
                    "{}: {text}",
                    entry.name
                );
                assert!(!text.contains('|'), "{}: {text}", entry.name);
            }
            let is_histogram = registered[entry.name].kind == "histogram";
            assert!(is_histogram || !entry.traced, "{}", entry.name);
        }
    }
}
