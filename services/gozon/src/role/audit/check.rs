//! The promises and the checks that hold the shop to them, each under a stable name.

use serde::Serialize;

/// A promise of the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) enum Promise {
    P1,
    P2,
    P3,
    P4,
    P5,
}

impl Promise {
    pub(crate) const ALL: [Self; 5] = [Self::P1, Self::P2, Self::P3, Self::P4, Self::P5];

    /// What is promised.
    pub(crate) const fn says(self) -> &'static str {
        match self {
            Self::P1 => "every accepted order is decided, and soon",
            Self::P2 => "one decision per order, at most one debit and one refund",
            Self::P3 => "orders and payments say the same",
            Self::P4 => "no balance is below zero",
            Self::P5 => "every balance is the sum of its entries",
        }
    }
}

/// One way to break a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Check {
    /// An order is undecided, or waits for its refund, for longer than the limit.
    OrderStuck,
    /// An idempotency key stands for an order that is not there.
    KeyWithoutOrder,
    /// The outbox asks for the payment or the refund of an order that is not there.
    RequestWithoutOrder,
    /// Nothing in the outbox that can ever be sent asks for the payment of an undecided order.
    OrderWithoutRequest,
    /// Nothing in the outbox that can ever be sent asks for the money of an order that was given up.
    RefundWithoutRequest,
    /// Nothing in the outbox that can ever be sent tells of a decision.
    DecisionWithoutAnswer,
    /// Nothing in the outbox that can ever be sent tells of a refund.
    RefundWithoutAnswer,
    /// A relay's cursor is past a request that was neither published nor parked.
    RequestPassedOver,
    /// A relay's cursor is past an answer that was neither published nor parked.
    AnswerPassedOver,
    /// An order was captured without a ledger entry.
    CapturedWithoutDebit,
    /// An order has several debits.
    DebitedTwice,
    /// An order has several refunds.
    RefundedTwice,
    /// An order has a refund without a debit.
    RefundWithoutDebit,
    /// A refund is of another amount or account than the debit.
    RefundUnlikeDebit,
    /// The ledger entry is of another amount or account than the decision.
    DebitUnlikeDecision,
    /// An order was declined and has a debit.
    DeclinedWithDebit,
    /// An order has a debit without a decision.
    DebitWithoutDecision,
    /// The outbox tells of another decision.
    AnswerAgainstDecision,
    /// The outbox tells of a refund that is not there.
    AnswerWithoutRefund,
    /// A decided order has no decision in the payment service.
    OrderWithoutDecision,
    /// The payment service decided on an order that is not there.
    DecisionWithoutOrder,
    /// The order's status or reason is not what the payment service decided.
    StatusUnlikeDecision,
    /// The order stands as if its money had not been given back, or as if it had been.
    StatusUnlikeRefund,
    /// The order and the decision are of different users or amounts.
    OrderUnlikeDecision,
    /// An order has no history.
    OrderWithoutHistory,
    /// A history has no order.
    HistoryWithoutOrder,
    /// The history's versions are not 1 to n, or it does not begin with NEW.
    HistoryWithGaps,
    /// The history does not end where the order stands, or is of another user.
    HistoryUnlikeOrder,
    /// An account is below zero.
    NegativeBalance,
    /// An entry left an account below zero.
    NegativeBalanceAfter,
    /// A balance is not the sum of its entries.
    BalanceUnlikeEntries,
    /// An entry does not take up where the one before it left off.
    EntryChainBroken,
    /// An entry is of an account that is not there.
    EntryWithoutAccount,
    /// An idempotency key stands for a top-up or an account that is not there.
    KeyWithoutEntry,
}

impl Check {
    pub(crate) const ALL: [Self; 34] = [
        Self::OrderStuck,
        Self::KeyWithoutOrder,
        Self::RequestWithoutOrder,
        Self::OrderWithoutRequest,
        Self::RefundWithoutRequest,
        Self::DecisionWithoutAnswer,
        Self::RefundWithoutAnswer,
        Self::RequestPassedOver,
        Self::AnswerPassedOver,
        Self::CapturedWithoutDebit,
        Self::DebitedTwice,
        Self::RefundedTwice,
        Self::RefundWithoutDebit,
        Self::RefundUnlikeDebit,
        Self::DebitUnlikeDecision,
        Self::DeclinedWithDebit,
        Self::DebitWithoutDecision,
        Self::AnswerAgainstDecision,
        Self::AnswerWithoutRefund,
        Self::OrderWithoutDecision,
        Self::DecisionWithoutOrder,
        Self::StatusUnlikeDecision,
        Self::StatusUnlikeRefund,
        Self::OrderUnlikeDecision,
        Self::OrderWithoutHistory,
        Self::HistoryWithoutOrder,
        Self::HistoryWithGaps,
        Self::HistoryUnlikeOrder,
        Self::NegativeBalance,
        Self::NegativeBalanceAfter,
        Self::BalanceUnlikeEntries,
        Self::EntryChainBroken,
        Self::EntryWithoutAccount,
        Self::KeyWithoutEntry,
    ];

    /// The promise it holds the shop to.
    pub(crate) const fn promise(self) -> Promise {
        match self {
            Self::OrderStuck
            | Self::KeyWithoutOrder
            | Self::RequestWithoutOrder
            | Self::OrderWithoutRequest
            | Self::RefundWithoutRequest
            | Self::DecisionWithoutAnswer
            | Self::RefundWithoutAnswer
            | Self::RequestPassedOver
            | Self::AnswerPassedOver => Promise::P1,
            Self::CapturedWithoutDebit
            | Self::DebitedTwice
            | Self::RefundedTwice
            | Self::RefundWithoutDebit
            | Self::RefundUnlikeDebit
            | Self::DebitUnlikeDecision
            | Self::DeclinedWithDebit
            | Self::DebitWithoutDecision
            | Self::AnswerAgainstDecision
            | Self::AnswerWithoutRefund => Promise::P2,
            Self::OrderWithoutDecision
            | Self::DecisionWithoutOrder
            | Self::StatusUnlikeDecision
            | Self::StatusUnlikeRefund
            | Self::OrderUnlikeDecision
            | Self::OrderWithoutHistory
            | Self::HistoryWithoutOrder
            | Self::HistoryWithGaps
            | Self::HistoryUnlikeOrder => Promise::P3,
            Self::NegativeBalance | Self::NegativeBalanceAfter => Promise::P4,
            Self::BalanceUnlikeEntries
            | Self::EntryChainBroken
            | Self::EntryWithoutAccount
            | Self::KeyWithoutEntry => Promise::P5,
        }
    }

    /// What is wrong, for people.
    pub(crate) const fn says(self) -> &'static str {
        match self {
            Self::OrderStuck => "orders undecided or not refunded for too long",
            Self::KeyWithoutOrder => "accepted orders that are not there",
            Self::RequestWithoutOrder => "money asked for by orders that are not there",
            Self::OrderWithoutRequest => "undecided orders whose payment nobody asked for",
            Self::RefundWithoutRequest => "orders given up whose money nobody asked for",
            Self::DecisionWithoutAnswer => "decisions that nobody is told of",
            Self::RefundWithoutAnswer => "refunds that nobody is told of",
            Self::RequestPassedOver => "requests that relays left behind unpublished",
            Self::AnswerPassedOver => "answers that relays left behind unpublished",
            Self::CapturedWithoutDebit => "captured orders without a debit",
            Self::DebitedTwice => "orders debited more than once",
            Self::RefundedTwice => "orders refunded more than once",
            Self::RefundWithoutDebit => "refunds of orders that were never debited",
            Self::RefundUnlikeDebit => "refunds of another amount or user than debited",
            Self::DebitUnlikeDecision => "debits of another amount or user than decided",
            Self::DeclinedWithDebit => "declined orders with a debit",
            Self::DebitWithoutDecision => "debits without a decision",
            Self::AnswerAgainstDecision => "answers that say what was not decided",
            Self::AnswerWithoutRefund => "answers that tell of refunds that are not there",
            Self::OrderWithoutDecision => "decided orders without a decision on their payment",
            Self::DecisionWithoutOrder => "decisions on orders that are not there",
            Self::StatusUnlikeDecision => "orders that stand otherwise than decided",
            Self::StatusUnlikeRefund => "orders that stand otherwise than refunded",
            Self::OrderUnlikeDecision => "decisions on another user or amount than ordered",
            Self::OrderWithoutHistory => "orders without a history",
            Self::HistoryWithoutOrder => "histories without an order",
            Self::HistoryWithGaps => "histories with gaps",
            Self::HistoryUnlikeOrder => "histories that end elsewhere than their order",
            Self::NegativeBalance => "accounts below zero",
            Self::NegativeBalanceAfter => "entries that left an account below zero",
            Self::BalanceUnlikeEntries => "balances that are not the sum of their entries",
            Self::EntryChainBroken => "entries that do not follow from the one before",
            Self::EntryWithoutAccount => "entries of accounts that are not there",
            Self::KeyWithoutEntry => "accepted top-ups and accounts that are not there",
        }
    }
}
