//! What the payment service measures.

use contracts::{
    DeclineReason,
    metrics::{Announce, Readings, Unlabelled},
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::{Registry, Unit},
};

use crate::{ledger_check::Drift, storage::payment::Decision};

/// The one source of the readings of a pass.
const LEDGER_CHECK: &str = "ledger check";

/// The measures; clones measure together.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    decided: Family<DecisionLabels, Counter>,
    repeated: Counter,
    refunded: Counter,
    drift_accounts: Readings<Unlabelled>,
    drift_minor: Readings<Unlabelled>,
    checked_accounts: Counter,
    check_completed: Readings<Unlabelled, f64>,
}

/// Labels of [`Metrics::decided`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DecisionLabels {
    outcome: &'static str,
    reason: &'static str,
}

/// What a batch decided and gave back, and how often it gave an answer that stood.
#[derive(Debug, Default)]
pub struct Decided {
    pub(crate) captured: u64,
    pub(crate) declined: [u64; DeclineReason::ALL.len()],
    pub(crate) repeated: u64,
    /// How many orders got their money back.
    pub(crate) refunded: u64,
}

impl Metrics {
    /// Measures that show up in this registry.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.announce(
            "gozon_payments_decided",
            "Payments decided, by outcome and, where declined, reason; those that an operator discarded are not among them",
            metrics.decided.clone(),
        );
        registry.announce(
            "gozon_payments_repeated",
            "Requests for a payment that was decided before, and got the same answer",
            metrics.repeated.clone(),
        );
        registry.announce(
            "gozon_payments_refunded",
            "Payments whose money was given back, each once however often its request came",
            metrics.refunded.clone(),
        );
        registry.announce(
            "gozon_ledger_drift_accounts",
            "Accounts whose balance is not the sum of their ledger entries, as the last whole pass found; absent on replicas that do not check",
            metrics.drift_accounts.clone(),
        );
        registry.announce(
            "gozon_ledger_drift_minor",
            "By how much their balances and their entries differ, in minor units, summed up without signs",
            metrics.drift_minor.clone(),
        );
        registry.announce(
            "gozon_ledger_checked_accounts",
            "Accounts whose balance was compared with their ledger entries",
            metrics.checked_accounts.clone(),
        );
        registry.announce_in(
            Unit::Seconds,
            "gozon_ledger_check_completed_timestamp",
            "When this replica last completed a pass over all accounts, as Unix time; absent before",
            metrics.check_completed.clone(),
        );
        for outcome in [Decision::Captured]
            .into_iter()
            .chain(DeclineReason::ALL.map(Decision::Declined))
        {
            // From zero on, so that the first of a kind is an increase.
            metrics.of(outcome).inc_by(0);
        }
        metrics
    }

    pub(crate) fn count(&self, decided: &Decided) {
        self.repeated.inc_by(decided.repeated);
        self.refunded.inc_by(decided.refunded);
        let declined = DeclineReason::ALL.map(Decision::Declined);
        let counts = declined.into_iter().zip(decided.declined);
        for (decision, count) in counts.chain([(Decision::Captured, decided.captured)]) {
            if count > 0 {
                self.of(decision).inc_by(count);
            }
        }
    }

    pub(crate) fn checked(&self, accounts: usize) {
        self.checked_accounts.inc_by(accounts as u64);
    }

    /// A pass over all accounts ended at this Unix time.
    pub(crate) fn pass_completed(&self, drift: Drift, unix_time: f64) {
        let accounts = [(Unlabelled, drift.accounts)];
        self.drift_accounts.show(LEDGER_CHECK, accounts);
        let minor = [(Unlabelled, drift.minor)];
        self.drift_minor.show(LEDGER_CHECK, minor);
        let completed = [(Unlabelled, unix_time)];
        self.check_completed.show(LEDGER_CHECK, completed);
    }

    /// This process does not check, or cannot. When it last did stays true.
    pub(crate) fn withdraw_drift(&self) {
        self.drift_accounts.withdraw(LEDGER_CHECK);
        self.drift_minor.withdraw(LEDGER_CHECK);
    }

    fn of(&self, decision: Decision) -> Counter {
        let (outcome, reason) = match decision {
            Decision::Captured => ("captured", ""),
            Decision::Declined(reason) => ("declined", reason.as_str()),
        };
        self.decided
            .get_or_create_owned(&DecisionLabels { outcome, reason })
    }

    #[cfg(test)]
    pub(crate) fn drift(&self) -> Option<Drift> {
        let accounts = self.drift_accounts.shown().first()?.1;
        let minor = self.drift_minor.shown().first()?.1;
        Some(Drift { accounts, minor })
    }
}

impl Decided {
    pub(crate) const fn add(&mut self, decision: Decision) {
        match decision {
            Decision::Captured => self.captured += 1,
            Decision::Declined(DeclineReason::NoAccount) => self.declined[0] += 1,
            Decision::Declined(DeclineReason::InsufficientFunds) => self.declined[1] += 1,
            Decision::Declined(DeclineReason::Discarded) => self.declined[2] += 1,
        }
    }
}
