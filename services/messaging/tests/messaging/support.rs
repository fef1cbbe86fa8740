//! What the tests share: a migrated database, a broker with the topology, and a handler whose effect is a row.

use std::{collections::HashMap, time::Duration};

use contracts::{
    CloudEvent, Message, Money, OrderId, OrderPlaced, TraceContext, UserId,
    cloud_event::BATCH_CONTENT_TYPE,
};
use messaging::{
    broker::BrokerUrl,
    consumer::{
        Consumer, Discard, Event, Handler, Outcome, Received, Schedule, Session, Unsettled,
    },
    failure::{Failure, ReasonClass, Rejection},
    metrics::Metrics,
    schema::{self, Roles},
    topology::{self, EXCHANGE, PAYMENT_ORDERS, Queue},
};
use sqlx::{AssertSqlSafe, PgPool, PgTransaction, Row};
use tests::{
    BrokerUser, Login, RawBroker, Service, TestDatabase, TestVhost, lapin::BasicProperties,
};
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
         create table effects.answer (amount bigint primary key, answer text not null);
         grant usage on schema effects to payments_writer;
         grant select, insert on effects.effect to payments_writer;
         grant select on effects.answer to payments_writer",
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
        placed_at: Some(OffsetDateTime::now_utc()),
    }
}

pub(crate) fn event(message: &OrderPlaced) -> serde_json::Value {
    let event = CloudEvent::new(message, &TraceContext::root(), OffsetDateTime::now_utc());
    serde_json::to_value(event).unwrap()
}

/// What the handler says of orders of an amount, instead of settling them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    NotYet,
    Reject,
    /// The whole batch fails for a cause that passes.
    Fail,
}

/// Makes the handler answer so from now on; none takes the answer back.
pub(crate) async fn answer(db: &TestDatabase, amount: i64, answer: Option<Answer>) {
    let admin = db.admin_pool();
    let mut tx = admin.begin().await.unwrap();
    sqlx::query("delete from effects.answer where amount = $1")
        .bind(amount)
        .execute(&mut *tx)
        .await
        .unwrap();
    if let Some(answer) = answer {
        sqlx::query("insert into effects.answer values ($1, $2)")
            .bind(amount)
            .bind(format!("{answer:?}"))
            .execute(&mut *tx)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
}

/// A handler whose effect is a row per message, unless it was told another answer.
#[derive(Debug)]
pub(crate) struct Effects;

impl Handler for Effects {
    type Message = OrderPlaced;
    type Effect = ();
    const QUEUE: Queue = PAYMENT_ORDERS;

    fn decode(&self, event: &Event<'_>) -> Result<OrderPlaced, Rejection> {
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
    ) -> Result<(Vec<Unsettled>, ()), Failure> {
        let answers: HashMap<i64, String> =
            sqlx::query_as("select amount, answer from effects.answer")
                .fetch_all(&mut **tx)
                .await?
                .into_iter()
                .collect();
        let mut unsettled = Vec::new();
        for (index, received) in batch.iter().enumerate() {
            let amount = received.message.amount.amount_minor;
            let rejection = |class| Rejection::new(class, "told so");
            let outcome = match answers.get(&amount).map(String::as_str) {
                Some("NotYet") => Outcome::NotYet(rejection(ReasonClass::UnknownOrder)),
                Some("Reject") => Outcome::Rejected(rejection(ReasonClass::Conflict)),
                Some(_) => return Err(Failure::Transient("told so".into())),
                None => {
                    sqlx::query("insert into effects.effect values ($1, $2)")
                        .bind(received.message.order_id)
                        .bind(amount)
                        .execute(&mut **tx)
                        .await?;
                    continue;
                }
            };
            unsettled.push(Unsettled { index, outcome });
        }
        Ok((unsettled, ()))
    }

    /// Orders of an even amount have an end, others must be settled.
    async fn discard(
        &self,
        tx: &mut PgTransaction<'_>,
        received: &Received<OrderPlaced>,
    ) -> Result<Discard, Failure> {
        let amount = received.message.amount.amount_minor;
        if amount % 2 != 0 {
            return Ok(Discard::Refused("the amount is odd".to_owned()));
        }
        sqlx::query("insert into effects.effect values ($1, $2)")
            .bind(received.message.order_id)
            .bind(-amount)
            .execute(&mut **tx)
            .await?;
        Ok(Discard::Ended)
    }

    fn committed(&self, (): ()) {}
}

/// Production's schedule is in minutes; this one is in milliseconds.
pub(crate) fn schedule() -> Schedule {
    Schedule {
        first_delay: Duration::from_millis(10),
        longest_delay: Duration::from_millis(40),
        max_attempts: 4,
        poll: Duration::from_millis(20),
        keep_deliveries: Duration::from_mins(10),
        trust: Duration::from_secs(10),
    }
}

pub(crate) fn consumer(db: &TestDatabase, vhost: &TestVhost) -> Consumer<Effects> {
    measured_consumer(db, vhost, Metrics::default())
}

/// A consumer that counts here.
pub(crate) fn measured_consumer(
    db: &TestDatabase,
    vhost: &TestVhost,
    metrics: Metrics,
) -> Consumer<Effects> {
    let broker = BrokerUrl::parse(vhost.url(BrokerUser::Service)).unwrap();
    Consumer::new(Effects, db.pool(Login::Writer), broker, metrics).with_schedule(schedule())
}

/// A consumer of what is due in the database; there is no broker.
pub(crate) fn due_consumer(db: &TestDatabase) -> Consumer<Effects> {
    let nowhere = BrokerUrl::parse("amqp://nobody@127.0.0.1:1/nowhere").unwrap();
    Consumer::new(Effects, db.pool(Login::Writer), nowhere, Metrics::default())
        .with_schedule(schedule())
}

/// Publishes events as one message.
pub(crate) async fn publish(raw: &RawBroker, events: &[serde_json::Value]) {
    let body = serde_json::to_vec(events).unwrap();
    let properties = BasicProperties::default().with_content_type(BATCH_CONTENT_TYPE.into());
    let published = raw.publish(EXCHANGE, OrderPlaced::TYPE, properties, &body);
    assert!(published.await);
}

/// Takes what is in the queue, settles it as a consumer does, and acknowledges.
pub(crate) async fn settle_next(consumer: &Consumer<Effects>, session: &mut Session) {
    let mut batch = session.next_batch().await.unwrap();
    consumer.settle(session, &mut batch).await.unwrap();
    batch.acknowledge().await.unwrap();
}

/// How many rows a table has.
pub(crate) async fn count(pool: &PgPool, table: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from {table}")))
        .fetch_one(pool)
        .await
        .unwrap()
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
