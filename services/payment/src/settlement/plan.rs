//! How a batch of requests is decided: a pure function over the decisions that stand and the balances that are locked.
//!
//! Because the accounts are locked, the balances in hand are the truth until the transaction ends. So the requests are
//! decided here one by one, in the order of arrival, exactly as a transaction for each would have decided them, and the
//! database is told the outcome of all in a few statements.

use std::collections::{BTreeMap, HashMap};

use contracts::{AccountId, DeclineReason, OrderId, UserId};
use messaging::{
    consumer::{Outcome, Received, Unsettled},
    failure::{ReasonClass, Rejection},
};
use time::OffsetDateTime;

use crate::{
    metrics::Decided,
    settlement::request::{PaymentRequest, Purpose},
    storage::{
        account::Account,
        ledger::{EntryKind, NewEntry, Refund},
        payment::{Decision, Payment},
    },
};

/// What stands when a batch is decided.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// The decisions on its orders.
    pub(super) payments: Vec<Payment>,
    /// The refunds of its orders, read after the accounts were locked.
    pub(super) refunds: Vec<Refund>,
    /// The locked accounts of its users.
    pub(super) accounts: Vec<Account>,
}

/// What a batch comes to.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Decisions on orders that had none, to be written.
    pub(super) decided: Vec<Payment>,
    /// What changes the accounts, in the order of the decisions.
    pub(super) entries: Vec<NewEntry>,
    /// The answers to each request that gets any, by its place in the batch: what was decided now, and what stood.
    pub(super) answers: Vec<(usize, Answer)>,
    /// The requests that were not settled.
    pub(super) unsettled: Vec<Unsettled>,
}

/// What a request is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// The decision on the payment.
    Decided(Payment),
    /// The money was given back.
    Refunded(Refund),
}

/// Decides the batch.
pub(super) fn plan(
    batch: &[Received<PaymentRequest>],
    standing: Standing,
    now: OffsetDateTime,
) -> Plan {
    let mut books = Books::open(standing, now);
    for (index, received) in batch.iter().enumerate() {
        let request = received.message;
        match request.purpose {
            Purpose::Payment => {
                let payment = books.decide(request, received.received_at);
                if !is_about(&payment, request) {
                    let outcome = Outcome::Rejected(other_contents());
                    books.plan.unsettled.push(Unsettled { index, outcome });
                    continue;
                }
                let mut answers = vec![Answer::Decided(payment)];
                // Whoever asks again may have lost what came later, too.
                let refund = books.refunds.get(&request.order_id);
                answers.extend(refund.map(|refund| Answer::Refunded(*refund)));
                let answers = answers.into_iter().map(|answer| (index, answer));
                books.plan.answers.extend(answers);
            }
            Purpose::Refund => match books.refund(request) {
                Ok(refund) => books.plan.answers.push((index, Answer::Refunded(refund))),
                Err(outcome) => books.plan.unsettled.push(Unsettled { index, outcome }),
            },
        }
    }
    books.plan
}

impl Plan {
    /// What is to be counted once it is committed.
    pub(super) fn effect(&self) -> Decided {
        let mut effect = Decided::default();
        for (_, answer) in &self.answers {
            match answer {
                Answer::Decided(_) => effect.repeated += 1,
                Answer::Refunded(_) => {}
            }
        }
        effect.repeated -= self.decided.len() as u64;
        for payment in &self.decided {
            effect.add(payment.decision);
        }
        let refunds = self.entries.iter();
        let refunds = refunds.filter(|entry| entry.kind == EntryKind::Refund);
        effect.refunded = refunds.count() as u64;
        effect
    }

    /// By how much each account changes in all.
    pub(super) fn totals(&self) -> Vec<(AccountId, i64)> {
        let mut totals: BTreeMap<AccountId, i64> = BTreeMap::new();
        for entry in &self.entries {
            *totals.entry(entry.account_id).or_default() += entry.amount_minor();
        }
        totals.into_iter().collect()
    }
}

/// The books while a batch is decided: each request meets what the ones before it made of them.
#[derive(Debug)]
struct Books {
    accounts: HashMap<UserId, Account>,
    decisions: HashMap<OrderId, Payment>,
    refunds: HashMap<OrderId, Refund>,
    plan: Plan,
    now: OffsetDateTime,
}

impl Books {
    fn open(standing: Standing, now: OffsetDateTime) -> Self {
        let accounts = standing.accounts.into_iter();
        let payments = standing.payments.into_iter();
        let refunds = standing.refunds.into_iter();
        Self {
            accounts: accounts.map(|it| (it.user_id, it)).collect(),
            decisions: payments.map(|it| (it.order_id, it)).collect(),
            refunds: refunds.map(|it| (it.order_id, it)).collect(),
            plan: Plan::default(),
            now: stored(now),
        }
    }

    /// The decision on the order: the one that stands, or a new one.
    fn decide(&mut self, request: PaymentRequest, received_at: OffsetDateTime) -> Payment {
        if let Some(payment) = self.decisions.get(&request.order_id) {
            return *payment;
        }
        let payment = Payment {
            order_id: request.order_id,
            user_id: request.user_id,
            amount: request.amount.money(),
            decision: self.pay(request),
            received_at: stored(received_at),
            decided_at: self.now,
        };
        self.plan.decided.push(payment);
        self.decisions.insert(request.order_id, payment);
        payment
    }

    /// Takes the amount off the user's account, if there is one and it covers it.
    fn pay(&mut self, request: PaymentRequest) -> Decision {
        let Some(account) = self.accounts.get_mut(&request.user_id) else {
            return Decision::Declined(DeclineReason::NoAccount);
        };
        let amount_minor = request.amount.money().amount_minor;
        if account.balance.amount_minor < amount_minor {
            return Decision::Declined(DeclineReason::InsufficientFunds);
        }
        account.balance.amount_minor -= amount_minor;
        let entry = entry(EntryKind::Payment, request, account, self.now);
        self.plan.entries.push(entry);
        Decision::Captured
    }

    /// Gives back what was paid, unless that was done before. The ceiling of top-ups does not apply.
    fn refund(&mut self, request: PaymentRequest) -> Result<Refund, Outcome> {
        let Some(payment) = self.decisions.get(&request.order_id) else {
            // Orders are cancelled after they were paid; but a database restored from a backup is behind the broker.
            return Err(Outcome::NotYet(never_asked(request)));
        };
        if !is_about(payment, request) {
            return Err(Outcome::Rejected(other_contents()));
        }
        if payment.decision != Decision::Captured {
            return Err(Outcome::Rejected(never_paid(request)));
        }
        if let Some(refund) = self.refunds.get(&request.order_id) {
            return Ok(*refund);
        }
        let account = self.accounts.get_mut(&request.user_id);
        let credited = account.and_then(|account| {
            let balance = account.balance.checked_add(request.amount.money()).ok()?;
            account.balance = balance;
            Some(*account)
        });
        let Some(account) = credited else {
            return Err(Outcome::Rejected(no_room(request)));
        };
        let entry = entry(EntryKind::Refund, request, &account, self.now);
        self.plan.entries.push(entry);
        let refund = Refund {
            order_id: request.order_id,
            refunded_at: self.now,
        };
        self.refunds.insert(request.order_id, refund);
        Ok(refund)
    }
}

fn entry(
    kind: EntryKind,
    request: PaymentRequest,
    account: &Account,
    now: OffsetDateTime,
) -> NewEntry {
    NewEntry {
        kind,
        account_id: account.id,
        order_id: request.order_id,
        amount: request.amount,
        balance_after: account.balance,
        created_at: now,
    }
}

/// Whether the decision was made on what the request says.
fn is_about(payment: &Payment, request: PaymentRequest) -> bool {
    (payment.user_id, payment.amount) == (request.user_id, request.amount.money())
}

fn other_contents() -> Rejection {
    Rejection::new(
        ReasonClass::Conflict,
        "the order was decided before for another user or amount",
    )
}

fn never_asked(request: PaymentRequest) -> Rejection {
    let reason = format!(
        "nobody asked for the payment of order {} that is to be given back",
        request.order_id
    );
    Rejection::new(ReasonClass::UnknownOrder, reason)
}

fn never_paid(request: PaymentRequest) -> Rejection {
    let reason = format!(
        "order {} was declined: there is nothing to give back",
        request.order_id
    );
    Rejection::new(ReasonClass::Conflict, reason)
}

fn no_room(request: PaymentRequest) -> Rejection {
    let reason = format!(
        "the account that paid order {} is not there, or cannot hold what is to be given back",
        request.order_id
    );
    Rejection::new(ReasonClass::Conflict, reason)
}

/// An instant as the database keeps it, so that the first answer names the same instants as every later one.
const fn stored(instant: OffsetDateTime) -> OffsetDateTime {
    instant.truncate_to_microsecond()
}

#[cfg(test)]
mod tests;
