//! `gozon audit` after the load: what was fast must also be right.

use std::process::Command;

use anyhow::Context;
use serde_json::Value;

use crate::{arguments::Arguments, cells::title, result::Outcome};

/// Runs the audit and keeps what it says. A verdict that is not clean fails the bench.
pub(crate) fn run(arguments: &Arguments, outcome: &mut Outcome) -> anyhow::Result<()> {
    title("audit");
    let output = Command::new(&arguments.gozon)
        .args(["audit", "--json"])
        .env("GOZON_LOG", "warn")
        .output()
        .with_context(|| format!("{} cannot be run", arguments.gozon.display()))?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        outcome.failures.push(format!(
            "gozon audit is not clean ({}): {} {}",
            output.status,
            said.trim(),
            String::from_utf8_lossy(&output.stderr).trim()
        ));
    }
    let verdict = serde_json::from_str(&said);
    outcome.audit = Some(verdict.unwrap_or_else(|_| Value::String(said.trim().to_owned())));
    Ok(())
}
