//! A look at both databases: one snapshot of each, the orders' first.
//!
//! What an order knows of its payment was committed in the payment service before, so it has to be in the later snapshot
//! of the payments. A payment whose order was placed between the two snapshots looks as if it had none; a second look
//! reads the orders again, after the payment was seen, and so tells whether that is true.

use std::time::Duration;

use anyhow::Context;
use chassis::pool::{self, PoolSettings};
use contracts::{
    Message, OrderPlaced, PaymentCaptured, PaymentDeclined, PaymentRefunded, RefundRequested,
};
use messaging::audit::{self as of_messages, Finding};
use secrecy::SecretString;
use sqlx::{ConnectOptions, PgConnection, PgTransaction};
use tokio::time::timeout;
use uuid::Uuid;

use super::{
    check::Check,
    judge::{Pair, Patience, merge},
};
use crate::config::{AuditConfig, Database};

/// How many rows of each side are in memory at once.
const PAGE_ROWS: i64 = 5_000;

/// How long a connection may take to be made.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

/// What the order service sends, and what the payment service answers.
const REQUESTS: [&str; 2] = [OrderPlaced::TYPE, RefundRequested::TYPE];
const ANSWERS: [&str; 3] = [
    PaymentCaptured::TYPE,
    PaymentDeclined::TYPE,
    PaymentRefunded::TYPE,
];

/// A connection to each database, as the login that only reads.
#[derive(Debug)]
pub(crate) struct Databases {
    orders: PgConnection,
    payments: PgConnection,
}

/// A snapshot of each database.
#[derive(Debug)]
pub(crate) struct Look<'c> {
    pub(crate) orders: PgTransaction<'c>,
    pub(crate) payments: PgTransaction<'c>,
    pub(crate) patience: Patience,
}

impl Databases {
    pub(crate) async fn connect(config: &AuditConfig) -> anyhow::Result<Self> {
        Ok(Self {
            orders: connect(Database::Orders, &config.orders_url).await?,
            payments: connect(Database::Payments, &config.payments_url).await?,
        })
    }

    /// Fixes a snapshot of the orders and after it one of the payments.
    pub(crate) async fn look(&mut self, stuck_after: Duration) -> anyhow::Result<Look<'_>> {
        let (orders, now) = messaging::audit::begin(&mut self.orders)
            .await
            .context("the orders cannot be read")?;
        let (payments, _) = messaging::audit::begin(&mut self.payments)
            .await
            .context("the payments cannot be read")?;
        Ok(Look {
            orders,
            payments,
            patience: Patience { now, stuck_after },
        })
    }
}

impl Look<'_> {
    /// Shows every order with its payment, in the order of their ids. Both sides are read in pages that end at the same
    /// id, so that neither holds more than a page.
    pub(crate) async fn walk(&mut self, mut see: impl FnMut(&Pair)) -> anyhow::Result<()> {
        let mut first = Uuid::nil();
        loop {
            let ends = [
                order::audit::page_end(&mut self.orders, first, PAGE_ROWS).await?,
                payment::audit::page_end(&mut self.payments, first, PAGE_ROWS).await?,
            ];
            let last = ends.into_iter().flatten().min().unwrap_or(Uuid::max());
            self.pairs(first, last).await?.for_each(|pair| see(&pair));
            let Some(next) = last.as_u128().checked_add(1) else {
                return Ok(());
            };
            first = Uuid::from_u128(next);
        }
    }

    /// One order with its payment; none if neither is there any more.
    pub(crate) async fn pair(&mut self, id: Uuid) -> anyhow::Result<Option<Pair>> {
        Ok(self.pairs(id, id).await?.next())
    }

    /// What a set-based check finds; none if the check judges order by order.
    pub(crate) async fn find(
        &mut self,
        check: Check,
        limit: i64,
    ) -> Result<Option<Vec<Finding>>, sqlx::Error> {
        use order::audit as of_orders;
        use payment::audit as of_payments;
        let (orders, payments) = (&mut *self.orders, &mut *self.payments);
        let found = match check {
            Check::KeyWithoutOrder => of_orders::keys_without_order(orders, limit).await,
            Check::RequestWithoutOrder => of_orders::requests_without_order(orders, limit).await,
            Check::OrderWithoutRequest => of_orders::orders_without_request(orders, limit).await,
            Check::RefundWithoutRequest => of_orders::refunds_without_request(orders, limit).await,
            Check::RefundWithoutAnswer => {
                of_payments::refunds_without_answer(payments, limit).await
            }
            Check::DecisionWithoutAnswer => {
                of_payments::decisions_without_answer(payments, limit).await
            }
            Check::RequestPassedOver => of_messages::passed_over(orders, &REQUESTS, limit).await,
            Check::AnswerPassedOver => of_messages::passed_over(payments, &ANSWERS, limit).await,
            Check::AnswerAgainstDecision => {
                of_payments::answers_against_decision(payments, limit).await
            }
            Check::AnswerWithoutRefund => {
                of_payments::answers_without_refund(payments, limit).await
            }
            Check::NegativeBalance => of_payments::negative_balances(payments, limit).await,
            Check::NegativeBalanceAfter => {
                of_payments::negative_balances_after(payments, limit).await
            }
            Check::BalanceUnlikeEntries => {
                of_payments::balances_unlike_entries(payments, limit).await
            }
            Check::EntryChainBroken => of_payments::chain_breaks(payments, limit).await,
            Check::EntryWithoutAccount => {
                of_payments::entries_without_account(payments, limit).await
            }
            Check::KeyWithoutEntry => of_payments::keys_without_entry(payments, limit).await,
            Check::OrderStuck
            | Check::CapturedWithoutDebit
            | Check::DebitedTwice
            | Check::RefundedTwice
            | Check::RefundWithoutDebit
            | Check::RefundUnlikeDebit
            | Check::DebitUnlikeDecision
            | Check::DeclinedWithDebit
            | Check::DebitWithoutDecision
            | Check::OrderWithoutDecision
            | Check::DecisionWithoutOrder
            | Check::StatusUnlikeDecision
            | Check::StatusUnlikeRefund
            | Check::OrderUnlikeDecision
            | Check::OrderWithoutHistory
            | Check::HistoryWithoutOrder
            | Check::HistoryWithGaps
            | Check::HistoryUnlikeOrder => return Ok(None),
        };
        found.map(Some)
    }

    /// Lets go of both snapshots.
    pub(crate) async fn end(self) -> Result<(), sqlx::Error> {
        self.orders.rollback().await?;
        self.payments.rollback().await
    }

    async fn pairs(
        &mut self,
        first: Uuid,
        last: Uuid,
    ) -> Result<impl Iterator<Item = Pair> + use<>, sqlx::Error> {
        let orders = order::audit::range(&mut self.orders, first, last).await?;
        let payments = payment::audit::range(&mut self.payments, first, last).await?;
        Ok(merge(orders, payments))
    }
}

async fn connect(database: Database, url: &SecretString) -> anyhow::Result<PgConnection> {
    let variable = database.audit_url_name();
    let options = pool::options(url, &PoolSettings::for_audit("gozon audit"))
        .context(variable)?
        // Set-based checks read whole tables, which is fastest from one end to the other.
        .options([("enable_seqscan", "on")]);
    timeout(CONNECT_TIME_MAX, options.connect())
        .await
        .with_context(|| format!("no connection within {CONNECT_TIME_MAX:?} ({variable})"))?
        .with_context(|| format!("no connection ({variable})"))
}
