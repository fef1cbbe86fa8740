//! The report as a table for a person in a hurry: the verdict first, then how much was seen, then what is wrong.

use std::fmt::{self, Write};

use super::report::{CheckReport, Report, Verdict};

/// The width of the column in which promises are named.
const PROMISE_WIDTH: usize = 58;

/// The whole report.
pub(crate) fn render(report: &Report) -> String {
    let mut text = String::new();
    write(report, &mut text).expect("a string takes every text");
    text
}

fn write(report: &Report, text: &mut String) -> fmt::Result {
    let broken = report
        .promises
        .iter()
        .filter(|promise| promise.verdict == Verdict::Broken)
        .count();
    match report.verdict {
        Verdict::Holds => writeln!(text, "ALL PROMISES HOLD")?,
        Verdict::Broken => writeln!(
            text,
            "{broken} OF {} PROMISES BROKEN",
            report.promises.len()
        )?,
        Verdict::Unknown => writeln!(
            text,
            "NOT FOUND OUT: more moved than could be looked at twice; audit again"
        )?,
    }
    let seen = &report.seen;
    writeln!(text)?;
    writeln!(
        text,
        "orders    {:>12}   {} NEW, {} FINISHED, {} REFUNDING, {} CANCELLED",
        seen.orders, seen.new, seen.finished, seen.refunding, seen.cancelled
    )?;
    writeln!(
        text,
        "payments  {:>12}   {} captured, {} declined, {} refunded",
        seen.captured + seen.declined,
        seen.captured,
        seen.declined,
        seen.refunded
    )?;
    writeln!(
        text,
        "accounts  {:>12}   {} ledger entries",
        seen.accounts, seen.ledger_entries
    )?;
    writeln!(
        text,
        "events    {:>12}   not yet published, {} parked",
        seen.events_unpublished, seen.events_parked
    )?;
    writeln!(
        text,
        "in flight {:>12}   the oldest for {} ms; stuck after {} s",
        seen.in_flight, seen.oldest_in_flight_ms, report.stuck_after_seconds
    )?;
    writeln!(text)?;
    for promise in &report.promises {
        let verdict = match promise.verdict {
            Verdict::Holds => "holds".to_owned(),
            Verdict::Broken => format!("BROKEN: {}", promise.violations),
            Verdict::Unknown => "not found out".to_owned(),
        };
        let (name, says) = (format!("{:?}", promise.promise), promise.says);
        writeln!(text, "{name}  {says:PROMISE_WIDTH$}{verdict}")?;
        for check in &promise.checks {
            write_check(check, text)?;
        }
    }
    if !report.stuck_at.is_empty() {
        writeln!(text, "\nwhere stuck orders hang")?;
        for (place, count) in &report.stuck_at {
            writeln!(text, "{count:>8}  {place}")?;
        }
    }
    writeln!(text, "\n{} in {} ms", report.taken_at, report.took_ms)
}

/// A check that found something; the others are not worth a line.
fn write_check(check: &CheckReport, text: &mut String) -> fmt::Result {
    let findings = &check.findings;
    if findings.violations > 0 {
        writeln!(text, "{:>8}  {}", findings.violations, check.says)?;
        for example in &findings.examples {
            writeln!(text, "            {}: {}", example.subject, example.detail)?;
        }
    }
    if findings.unconfirmed > 0 {
        let says = check.says;
        writeln!(
            text,
            "{:>8}  more suspects, not looked at twice: {says}",
            findings.unconfirmed
        )?;
    }
    Ok(())
}
