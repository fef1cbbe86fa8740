//! The report of an audit: for programs as it is, for people by `table`.

use std::collections::BTreeMap;

use order::status::Status;
use serde::Serialize;
use time::OffsetDateTime;

use super::{
    check::{Check, Promise},
    judge::{Pair, Patience, waiting_for},
};

/// What is to be said of promises and checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// All is as promised.
    Holds,
    /// Something is not.
    Broken,
    /// It could not be found out.
    Unknown,
}

/// The whole report.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) verdict: Verdict,
    /// The instant of the first look, by the clock of the orders' database.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) taken_at: OffsetDateTime,
    pub(crate) took_ms: u128,
    pub(crate) stuck_after_seconds: u64,
    pub(crate) seen: Tally,
    /// Where stuck orders hang, by the name of the place.
    pub(crate) stuck_at: BTreeMap<&'static str, u64>,
    pub(crate) promises: Vec<PromiseReport>,
}

/// One promise.
#[derive(Debug, Serialize)]
pub(crate) struct PromiseReport {
    pub(crate) promise: Promise,
    pub(crate) says: &'static str,
    pub(crate) verdict: Verdict,
    pub(crate) violations: u64,
    pub(crate) checks: Vec<CheckReport>,
}

/// One check.
#[derive(Debug, Serialize)]
pub(crate) struct CheckReport {
    pub(crate) check: Check,
    pub(crate) says: &'static str,
    #[serde(flatten)]
    pub(crate) findings: Findings,
}

/// What a check found.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Findings {
    /// How many violations were confirmed.
    pub(crate) violations: u64,
    /// How many suspects were seen beyond those that were looked at a second time.
    pub(crate) unconfirmed: u64,
    /// Some of the violations.
    pub(crate) examples: Vec<Example>,
}

/// One violation.
#[derive(Debug, Serialize)]
pub(crate) struct Example {
    pub(crate) subject: String,
    pub(crate) detail: String,
}

/// What an audit has seen.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Tally {
    pub(crate) orders: u64,
    pub(crate) new: u64,
    pub(crate) finished: u64,
    pub(crate) refunding: u64,
    pub(crate) cancelled: u64,
    pub(crate) captured: u64,
    pub(crate) declined: u64,
    pub(crate) refunded: u64,
    pub(crate) accounts: i64,
    pub(crate) ledger_entries: i64,
    /// Events in both outboxes that no relay has yet said to be published.
    pub(crate) events_unpublished: i64,
    /// Events in both outboxes that can never be sent.
    pub(crate) events_parked: i64,
    /// Orders that wait for their payment or their refund, within the limit.
    pub(crate) in_flight: u64,
    /// For how long the oldest of them does.
    pub(crate) oldest_in_flight_ms: u128,
}

impl Tally {
    /// Counts an order and its payment.
    pub(crate) fn count(&mut self, pair: &Pair, patience: Patience) {
        if let Some(order) = pair.order.as_ref().and_then(|side| side.order.as_ref()) {
            self.orders += 1;
            match order.status {
                Status::New => self.new += 1,
                Status::Finished => self.finished += 1,
                Status::Refunding => self.refunding += 1,
                Status::Cancelled => self.cancelled += 1,
            }
            let history = pair.order.as_ref().and_then(|side| side.history.as_ref());
            let age = waiting_for(order, history, patience.now);
            if let Some(age) = age.filter(|age| *age <= patience.stuck_after) {
                self.in_flight += 1;
                self.oldest_in_flight_ms = self.oldest_in_flight_ms.max(age.as_millis());
            }
        }
        if let Some(decision) = pair
            .payment
            .as_ref()
            .and_then(|side| side.decision.as_ref())
        {
            match decision.declined {
                None => self.captured += 1,
                Some(_) => self.declined += 1,
            }
        }
        if pair
            .payment
            .as_ref()
            .is_some_and(|side| side.refund.is_some())
        {
            self.refunded += 1;
        }
    }
}

impl Findings {
    fn verdict(&self) -> Verdict {
        match (self.violations, self.unconfirmed) {
            (0, 0) => Verdict::Holds,
            (0, _) => Verdict::Unknown,
            (_, _) => Verdict::Broken,
        }
    }
}

/// Broken if anything is, else unknown if anything is.
fn worst(verdicts: &[Verdict]) -> Verdict {
    [Verdict::Broken, Verdict::Unknown]
        .into_iter()
        .find(|bad| verdicts.contains(bad))
        .unwrap_or(Verdict::Holds)
}

/// Every promise with every check of it, from what the checks found.
pub(crate) fn promises(mut found: BTreeMap<Check, Findings>) -> (Verdict, Vec<PromiseReport>) {
    let promises: Vec<_> = Promise::ALL
        .into_iter()
        .map(|promise| {
            let checks = Check::ALL
                .into_iter()
                .filter(|check| check.promise() == promise);
            let checks: Vec<_> = checks
                .map(|check| CheckReport {
                    check,
                    says: check.says(),
                    findings: found.remove(&check).unwrap_or_default(),
                })
                .collect();
            let verdicts: Vec<_> = checks
                .iter()
                .map(|check| check.findings.verdict())
                .collect();
            PromiseReport {
                promise,
                says: promise.says(),
                verdict: worst(&verdicts),
                violations: checks.iter().map(|check| check.findings.violations).sum(),
                checks,
            }
        })
        .collect();
    let verdicts: Vec<_> = promises.iter().map(|promise| promise.verdict).collect();
    (worst(&verdicts), promises)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(violations: u64, unconfirmed: u64) -> BTreeMap<Check, Findings> {
        let findings = Findings {
            violations,
            unconfirmed,
            examples: Vec::new(),
        };
        BTreeMap::from([(Check::NegativeBalance, findings)])
    }

    #[test]
    fn one_violation_breaks_its_promise_and_the_whole_and_no_other_promise() {
        let (verdict, promises) = promises(found(1, 5));
        assert_eq!(verdict, Verdict::Broken);
        for promise in promises {
            let broken = promise.promise == Promise::P4;
            assert_eq!(promise.verdict == Verdict::Broken, broken, "{promise:?}");
            assert_eq!(promise.violations, u64::from(broken));
        }
    }

    #[test]
    fn suspects_that_nobody_confirmed_leave_the_verdict_open() {
        assert_eq!(promises(found(0, 5)).0, Verdict::Unknown);
        assert_eq!(promises(found(0, 0)).0, Verdict::Holds);
    }

    #[test]
    fn every_check_is_in_the_report_once() {
        let (_, promises) = promises(BTreeMap::new());
        let checks = promises.iter().flat_map(|promise| &promise.checks);
        let mut names: Vec<_> = checks.map(|check| check.check).collect();
        names.sort_unstable();
        let mut all = Check::ALL.to_vec();
        all.sort_unstable();
        assert_eq!(names, all);
    }
}
