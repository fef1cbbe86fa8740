//! The place of the experiment: a shop, a way past its outboxes, and a look at its dead letters.

use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::PgPool;
use tests::{Customer, Login, RawBroker, Service, Shop, poll_until, shop::SharedShop};

use crate::event::{order_of, order_placed, publish_batch};

/// A message is handled, well or badly, within this time, also on a busy machine.
pub(crate) const HANDLED_WITHIN: Duration = Duration::from_secs(30);

/// A good message after a bad one is handled within this time, unless the machine is busy.
const NEXT_WITHIN: Duration = Duration::from_secs(1);

/// On a busy machine it takes at most so many times as long as the slowest of so many good ones with nothing bad before.
const HARDLY_LONGER: u32 = 4;
const COMPARED_WITH: usize = 5;

const BALANCE: i64 = 1_000_000;

/// A shop with a customer in it.
pub(crate) struct Site {
    shop: SharedShop,
    orders: PgPool,
    payments: PgPool,
    pub(crate) broker: RawBroker,
    pub(crate) customer: Customer,
}

/// A dead letter.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct DeadLetter {
    pub(crate) reason_class: String,
    pub(crate) reason: String,
    pub(crate) occurrences: i32,
}

impl Site {
    pub(crate) async fn enter() -> Self {
        let shop = Shop::shared().await;
        shop.lanes_shared().await;
        let customer = Customer::with_balance(&shop.entrance(), BALANCE).await;
        let broker = shop.raw_broker().await;
        Self {
            orders: shop.database(Service::Orders).pool(Login::Audit),
            payments: shop.database(Service::Payments).pool(Login::Audit),
            shop,
            broker,
            customer,
        }
    }

    /// Dead letters with exactly this body.
    pub(crate) async fn dead_letters(&self, service: Service, body: &[u8]) -> Vec<DeadLetter> {
        sqlx::query_as(
            "select reason_class, reason, occurrences from messaging.dead_letter where body = $1",
        )
        .bind(body)
        .fetch_all(self.audit(service))
        .await
        .unwrap()
    }

    /// Waits for the dead letter with this body and checks its class of reason.
    pub(crate) async fn expect_dead_letter(
        &self,
        service: Service,
        what: &str,
        body: &[u8],
        class: &str,
    ) -> DeadLetter {
        let description = format!("{what} becomes a dead letter");
        let letter = poll_until(&description, HANDLED_WITHIN, async || {
            self.dead_letters(service, body).await.pop()
        })
        .await;
        assert_eq!(letter.reason_class, class, "{what}: {letter:?}");
        assert!(!letter.reason.is_empty(), "{what}: {letter:?}");
        letter
    }

    /// Makes the next attempt of the deferred event with exactly this body its last, and due. None if it is not deferred.
    pub(crate) async fn lose_patience(&self, service: Service, body: &[u8]) -> Option<()> {
        let hurried = sqlx::query(
            "update messaging.deferred set attempts = 1000, next_attempt_at = now() where body = $1",
        )
        .bind(body)
        .execute(&self.shop.database(service).admin_pool())
        .await
        .unwrap();
        (hurried.rows_affected() == 1).then_some(())
    }

    /// Publishes a good order of one minor unit and expects that it is paid at once.
    pub(crate) async fn expect_next_is_handled(&self, after: &str) {
        let is_handled = async |user_id, outcome: &str| {
            let good = order_placed(user_id, 1);
            publish_batch(&self.broker, "order.placed.v1", std::slice::from_ref(&good)).await;
            let what = format!("the good message after {after} is handled");
            poll_until(&what, HANDLED_WITHIN, async || {
                (self.outcome(&good).await? == outcome).then_some(())
            })
            .await;
        };
        // What it is compared with costs the customer nothing.
        let compared = async || is_handled(Customer::new_user_id(), "DECLINED no_account").await;
        expect_at_once(
            after,
            is_handled(self.customer.user_id, "CAPTURED"),
            compared,
        )
        .await;
    }

    /// What the payment service decided about an event's order.
    pub(crate) async fn outcome(&self, event: &Value) -> Option<String> {
        sqlx::query_scalar(
            "select concat_ws(' ', outcome, reason) from payments.payment where order_id = $1",
        )
        .bind(order_of(event))
        .fetch_optional(self.audit(Service::Payments))
        .await
        .unwrap()
    }

    /// What the customer was debited for an event's order.
    pub(crate) async fn debits(&self, event: &Value) -> Vec<i64> {
        let entries = self.customer.entries().await;
        entries
            .into_iter()
            .filter(|entry| entry.order_id == Some(order_of(event)))
            .map(|entry| entry.amount.amount_minor)
            .collect()
    }

    fn audit(&self, service: Service) -> &PgPool {
        match service {
            Service::Orders => &self.orders,
            Service::Payments => &self.payments,
        }
    }
}

/// Expects that what comes behind something bad is done at once. On a busy machine it may be slow, but then so is the same
/// thing with nothing bad before it: what a bad message holds up is over by then.
pub(crate) async fn expect_at_once(
    after: &str,
    next: impl Future<Output = ()>,
    compared: impl AsyncFn(),
) {
    let took = timed(next).await;
    let mut slowest = Duration::ZERO;
    for _ in 0..COMPARED_WITH {
        if took < NEXT_WITHIN.max(HARDLY_LONGER * slowest) {
            return;
        }
        slowest = slowest.max(timed(compared()).await);
    }
    assert!(
        took < HARDLY_LONGER * slowest,
        "what came after {after} took {took:?}, and {slowest:?} with nothing bad before it"
    );
}

async fn timed(work: impl Future<Output = ()>) -> Duration {
    let started = Instant::now();
    work.await;
    started.elapsed()
}
