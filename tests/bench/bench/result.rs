//! Everything a run found, as it is written to `target/bench.json`.

use std::{collections::BTreeMap, fs, path::Path};

use ::tests::measure::LoadReport;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::{Figures, Machine};

/// Above this many processors kept busy by others, the figures are too low, and the bench says so.
const ELSEWHERE_MAX: f64 = 0.15;

/// The outcome of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    /// The day, in UTC.
    pub(crate) date: String,
    pub(crate) machine: Machine,
    /// Whether the long cells were run.
    pub(crate) full: bool,
    pub(crate) figures: Figures,
    /// Everything the load generator reported, by cell.
    pub(crate) cells: BTreeMap<String, Vec<LoadReport>>,
    pub(crate) audit: Option<Value>,
    /// Why the figures mean nothing; empty for a good run.
    pub(crate) failures: Vec<String>,
    /// What may have disturbed it.
    pub(crate) warnings: Vec<String>,
}

impl Outcome {
    pub(crate) fn new(machine: Machine, full: bool) -> Self {
        Self {
            date: OffsetDateTime::now_utc().date().to_string(),
            machine,
            full,
            figures: Figures::default(),
            cells: BTreeMap::new(),
            audit: None,
            failures: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Keeps a report, and whatever in it speaks against the run.
    pub(crate) fn keep(&mut self, cell: &str, report: LoadReport) {
        if report.lost > 0 || report.errors > 0 {
            self.failures.push(format!(
                "{cell}: {} orders lost, {} errors: {}",
                report.lost,
                report.errors,
                report.first_errors.join("; ")
            ));
        }
        if report.elsewhere_cpus > ELSEWHERE_MAX {
            self.warn(&format!(
                "{cell}: something else kept {:.2} processors busy: stop it and measure again",
                report.elsewhere_cpus
            ));
        }
        self.cells.entry(cell.to_owned()).or_default().push(report);
    }

    /// Says and keeps what may have disturbed the run.
    pub(crate) fn warn(&mut self, warning: &str) {
        eprintln!("warning: {warning}");
        self.warnings.push(warning.to_owned());
    }

    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        fs::write(path, text)?;
        Ok(())
    }
}
