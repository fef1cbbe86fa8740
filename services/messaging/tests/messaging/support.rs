//! What the tests share: a migrated database, a broker with the topology, and a handler whose effect is a row.

use std::time::Duration;

use contracts::{CloudEvent, Message, Money, OrderId, OrderPlaced, TraceContext, UserId};
use messaging::{
    broker::BrokerUrl,
    consumer::{Consumer, Event, Handler, Received, Rejected},
    failure::{Failure, ReasonClass, Rejection},
    metrics::Metrics,
    schema::{self, Roles},
    topology::{self, PAYMENT_ORDERS, Queue},
};
use sqlx::{PgPool, PgTransaction, Row};
use tests::{BrokerUser, Login, RawBroker, Service, TestDatabase, TestVhost};
use time::OffsetDateTime;

pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// An amount the test's table refuses: a message whose effect can never be had.
pub(crate) const REFUSED_AMOUNT: i64 = 13;

pub(crate) fn roles(db: &TestDatabase) -> Roles {
    Roles {
        api: db.role(Login::Api).to_owned(),
        writer: db.role(Login::Writer).to_owned(),
        relay: db.role(Login::Relay).to_owned(),
        audit: db.role(Login::Audit).to_owned(),
        everyone: None,
    }
}

/// A database with the schema `messaging` and a table for the test handler's effects.
pub(crate) async fn database() -> TestDatabase {
    let db = TestDatabase::create(Service::Payments).await;
    let owner = db.pool(Login::Owner);
    schema::migrate(&mut owner.acquire().await.unwrap(), &roles(&db))
        .await
        .unwrap();
    sqlx::raw_sql(
        "create schema effects;
         create table effects.effect (order_id uuid, amount bigint check (amount <> 13));
         grant usage on schema effects to payments_writer;
         grant select, insert on effects.effect to payments_writer",
    )
    .execute(&owner)
    .await
    .unwrap();
    db
}

/// A broker with the topology, as its owner declares it.
pub(crate) async fn broker() -> (TestVhost, RawBroker) {
    let vhost = TestVhost::create().await;
    topology::declare(&BrokerUrl::parse(vhost.url(BrokerUser::Owner)).unwrap())
        .await
        .unwrap();
    let raw = vhost.raw().await;
    (vhost, raw)
}

pub(crate) fn placed(amount: i64) -> OrderPlaced {
    OrderPlaced {
        order_id: OrderId::new(),
        user_id: UserId::try_from(1).unwrap(),
        amount: Money::rub(amount),
        placed_at: OffsetDateTime::now_utc(),
    }
}

pub(crate) fn event(message: &OrderPlaced) -> serde_json::Value {
    let event = CloudEvent::new(message, &TraceContext::root(), OffsetDateTime::now_utc());
    serde_json::to_value(event).unwrap()
}

/// A handler whose effect is a row per message.
#[derive(Debug)]
pub(crate) struct Effects;

impl Handler for Effects {
    type Message = OrderPlaced;
    const QUEUE: Queue = PAYMENT_ORDERS;

    fn decode(&self, event: &Event) -> Result<OrderPlaced, Rejection> {
        if event.kind == OrderPlaced::TYPE {
            event.decode()
        } else {
            Err(Rejection::new(ReasonClass::UnknownType, "not an order"))
        }
    }

    async fn settle(
        &self,
        tx: &mut PgTransaction<'_>,
        batch: &[Received<OrderPlaced>],
    ) -> Result<Vec<Rejected>, Failure> {
        for received in batch {
            sqlx::query("insert into effects.effect values ($1, $2)")
                .bind(received.message.order_id)
                .bind(received.message.amount.amount_minor)
                .execute(&mut **tx)
                .await?;
        }
        Ok(Vec::new())
    }

    fn committed(&self) {}
}

pub(crate) fn consumer(db: &TestDatabase, vhost: &TestVhost) -> Consumer<Effects> {
    let broker = BrokerUrl::parse(vhost.url(BrokerUser::Service)).unwrap();
    Consumer::new(Effects, db.pool(Login::Writer), broker, Metrics::default())
}

pub(crate) async fn effects(pool: &PgPool) -> i64 {
    sqlx::query("select count(*) from effects.effect")
        .fetch_one(pool)
        .await
        .unwrap()
        .get(0)
}

/// The dead letters' classes, oldest first.
pub(crate) async fn letters(pool: &PgPool) -> Vec<String> {
    sqlx::query("select reason_class from messaging.dead_letter order by id")
        .fetch_all(pool)
        .await
        .unwrap()
        .into_iter()
        .map(|row| row.get(0))
        .collect()
}
