//! What a process tells Prometheus, read as Prometheus reads it; and the table of what it may tell.

use std::collections::{BTreeMap, BTreeSet};

use crate::gozon;

/// Labels by name.
pub type Labels = BTreeMap<String, String>;

/// All that a process told at one moment.
#[derive(Debug, Default)]
pub struct Exposition {
    /// Its samples, in their order.
    pub samples: Vec<Sample>,
}

/// One number.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The name, with the suffix that its type adds.
    pub name: String,
    /// What it is labelled with.
    pub labels: Labels,
    /// The number.
    pub value: f64,
    /// The labels of its exemplar.
    pub exemplar: Option<Labels>,
}

/// A metric in the table that `gozon metrics` prints.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Its name, with the suffix that its type adds.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// Whether it carries exemplars.
    pub traced: bool,
    /// Its labels.
    pub labels: BTreeSet<String>,
    /// Whether no panel and no alert uses it.
    pub diagnostic: bool,
}

impl Exposition {
    /// Reads the text format.
    ///
    /// # Panics
    /// When a line is none of it.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Self {
            samples: lines.map(Sample::parse).collect(),
        }
    }

    /// The sum of the samples of this name that have these labels, others besides; none if there is none.
    #[must_use]
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let found: Vec<f64> = self.of(name, labels).map(|sample| sample.value).collect();
        (!found.is_empty()).then(|| found.iter().sum())
    }

    /// The samples of this name that have these labels.
    pub fn of<'e>(
        &'e self,
        name: &'e str,
        labels: &'e [(&'e str, &'e str)],
    ) -> impl Iterator<Item = &'e Sample> {
        self.samples
            .iter()
            .filter(move |sample| sample.name == name && sample.has(labels))
    }
}

impl Sample {
    fn parse(line: &str) -> Self {
        let (sample, exemplar) = match line.split_once(" # ") {
            Some((sample, exemplar)) => (sample, Some(exemplar)),
            None => (line, None),
        };
        let (series, value) = sample.rsplit_once(' ').expect("a name and a number");
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        Self {
            name: name.to_owned(),
            labels: parse_labels(labels),
            value: value.parse().expect("a number"),
            exemplar: exemplar.map(|text| {
                let text = text.strip_prefix('{').expect("labels of an exemplar");
                parse_labels(text.split_once('}').expect("the labels' end").0)
            }),
        }
    }

    fn has(&self, labels: &[(&str, &str)]) -> bool {
        let mut labels = labels.iter();
        labels.all(|(name, value)| self.labels.get(*name).is_some_and(|own| own == value))
    }
}

/// No value of ours has a quote or a comma in it.
fn parse_labels(text: &str) -> Labels {
    let text = text.trim_end_matches('}');
    let labels = text.split(',').filter(|label| !label.is_empty());
    labels
        .map(|label| {
            let (name, value) = label.split_once('=').expect("a label and its value");
            (name.to_owned(), value.trim_matches('"').to_owned())
        })
        .collect()
}

/// The table of all metrics, by name.
///
/// # Panics
/// When it is not printed, or is no table.
pub async fn catalogue() -> BTreeMap<String, Listed> {
    let (status, text) = gozon(&["metrics"], &[]).await;
    assert!(status.success(), "{text}");
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(listed)
        .map(|listed| (listed.name.clone(), listed))
        .collect()
}

fn listed(row: &str) -> Listed {
    let cells: Vec<&str> = row.split(" | ").collect();
    let plain = |text: &str| text.replace(['`', '|', ' '], "");
    Listed {
        name: plain(cells[0]),
        kind: cells[1].split(',').next().unwrap_or_default().to_owned(),
        traced: cells[1].contains("*traced*"),
        labels: cells[3]
            .split(',')
            .map(plain)
            .filter(|label| !label.is_empty())
            .collect(),
        diagnostic: cells[5].starts_with("*Diagnostic.*"),
    }
}
