//! How a batch of requests is decided: a pure function over the decisions that stand and the balances that are locked.
//!
//! Because the accounts are locked, the balances in hand are the truth until the transaction ends. So the requests are
//! decided here one by one, in the order of arrival, exactly as a transaction for each would have decided them, and the
//! database is told the outcome of all in a few statements.

use std::collections::{BTreeMap, HashMap};

use contracts::{AccountId, DeclineReason, OrderId, UserId};
use messaging::consumer::Received;
use time::OffsetDateTime;

use crate::{
    metrics::Decided,
    settlement::request::PaymentRequest,
    storage::{
        account::Account,
        ledger::Debit,
        payment::{Decision, Payment},
    },
};

/// What a batch comes to.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Decisions on orders that had none, to be written.
    pub(super) decided: Vec<Payment>,
    /// What they take off the accounts, in the order of the decisions.
    pub(super) debits: Vec<Debit>,
    /// The answer to each request that gets one, by its place in the batch: new decisions and those that stood.
    pub(super) answers: Vec<(usize, Payment)>,
    /// The requests, by their place in the batch, that name an order decided under other contents.
    pub(super) conflicts: Vec<usize>,
}

/// Decides the batch. `standing` are the decisions that stand on its orders; `accounts` are the locked accounts of the
/// users whose orders have none.
pub(super) fn plan(
    batch: &[Received<PaymentRequest>],
    standing: &[Payment],
    accounts: &[Account],
    now: OffsetDateTime,
) -> Plan {
    let mut plan = Plan::default();
    let mut accounts: HashMap<UserId, Account> = accounts
        .iter()
        .map(|account| (account.user_id, *account))
        .collect();
    let mut decisions: HashMap<OrderId, Payment> = standing
        .iter()
        .map(|payment| (payment.order_id, *payment))
        .collect();
    for (index, received) in batch.iter().enumerate() {
        let request = received.message;
        let payment = *decisions.entry(request.order_id).or_insert_with(|| {
            let payment = Payment {
                order_id: request.order_id,
                user_id: request.user_id,
                amount: request.amount.money(),
                decision: plan.pay(&mut accounts, request),
                received_at: stored(received.received_at),
                decided_at: stored(now),
            };
            plan.decided.push(payment);
            payment
        });
        if payment.user_id == request.user_id && payment.amount == request.amount.money() {
            plan.answers.push((index, payment));
        } else {
            plan.conflicts.push(index);
        }
    }
    plan
}

impl Plan {
    /// Takes the amount off the user's account, if there is one and it covers it.
    fn pay(
        &mut self,
        accounts: &mut HashMap<UserId, Account>,
        request: PaymentRequest,
    ) -> Decision {
        let Some(account) = accounts.get_mut(&request.user_id) else {
            return Decision::Declined(DeclineReason::NoAccount);
        };
        let amount = request.amount.money();
        if account.balance.amount_minor < amount.amount_minor {
            return Decision::Declined(DeclineReason::InsufficientFunds);
        }
        account.balance.amount_minor -= amount.amount_minor;
        self.debits.push(Debit {
            account_id: account.id,
            order_id: request.order_id,
            amount: request.amount,
            balance_after: account.balance,
        });
        Decision::Captured
    }

    /// What is to be counted once it is committed.
    pub(super) fn effect(&self) -> Decided {
        let mut effect = Decided {
            repeated: (self.answers.len() - self.decided.len()) as u64,
            ..Decided::default()
        };
        for payment in &self.decided {
            effect.add(payment.decision);
        }
        effect
    }

    /// The sum to take off each account.
    pub(super) fn totals(&self) -> Vec<(AccountId, i64)> {
        let mut totals: BTreeMap<AccountId, i64> = BTreeMap::new();
        for debit in &self.debits {
            *totals.entry(debit.account_id).or_default() += debit.amount.money().amount_minor;
        }
        totals.into_iter().collect()
    }
}

/// An instant as the database keeps it, so that the first answer names the same instants as every later one.
const fn stored(instant: OffsetDateTime) -> OffsetDateTime {
    instant.truncate_to_microsecond()
}

#[cfg(test)]
mod tests;
