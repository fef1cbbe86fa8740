//! What the tests share: a database with an outbox, a broker, and relays that are driven by hand.

use std::{collections::HashMap, time::Duration};

use contracts::{Money, OrderId, OrderPlaced, TraceContext, UserId};
use messaging::{
    broker::BrokerUrl,
    doorbell::{Channel, Doorbell},
    metrics::{Metrics, PublishLabels},
    outbox,
    schema::{self, Roles},
    topology::{self, PAYMENT_ORDERS},
};
use relay::{Relay, Settings};
use serde_json::Value;
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tests::{
    BrokerUser, Login, Proxy, RawBroker, Service, TestDatabase, TestVhost, poll_until,
    reqwest::Method,
};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

pub(crate) const DEADLINE: Duration = Duration::from_secs(15);

pub(crate) struct World {
    pub db: TestDatabase,
    pub vhost: TestVhost,
    pub raw: RawBroker,
    pub writer: PgPool,
    pub doorbell: Doorbell,
    pub metrics: Metrics,
    pub stop: CancellationToken,
}

impl World {
    pub(crate) async fn new() -> Self {
        let (db, vhost) = tokio::join!(TestDatabase::create(Service::Orders), TestVhost::create());
        let roles = Roles {
            api: db.role(Login::Api).to_owned(),
            writer: db.role(Login::Writer).to_owned(),
            relay: db.role(Login::Relay).to_owned(),
            audit: db.role(Login::Audit).to_owned(),
            everyone: None,
        };
        let owner = db.pool(Login::Owner);
        schema::migrate(&mut owner.acquire().await.unwrap(), &roles)
            .await
            .unwrap();
        topology::declare(&BrokerUrl::parse(vhost.url(BrokerUser::Owner)).unwrap())
            .await
            .unwrap();
        let (raw, writer) = (vhost.raw().await, db.pool(Login::Writer));
        Self {
            db,
            vhost,
            raw,
            writer,
            doorbell: Doorbell::new(Channel::Outbox),
            metrics: Metrics::default(),
            stop: CancellationToken::new(),
        }
    }

    /// From now on the outbox is in another database.
    pub(crate) fn moves_to(&mut self, db: TestDatabase) {
        self.writer = db.pool(Login::Writer);
        self.db = db;
    }

    pub(crate) fn relay(&self, name: &str) -> Relay {
        self.relay_at(name, &self.doorbell)
    }

    /// A relay that hears a doorbell.
    pub(crate) fn relay_at(&self, name: &str, doorbell: &Doorbell) -> Relay {
        let pool = self.db.pool(Login::Relay);
        self.relay_of(name, pool, doorbell, self.vhost.url(BrokerUser::Relay))
    }

    /// A relay that reaches the broker over a wire.
    pub(crate) fn relay_over(&self, proxy: &Proxy, name: &str) -> Relay {
        let url = self.vhost.url_over(proxy, BrokerUser::Relay);
        let pool = self.db.pool(Login::Relay);
        self.relay_of(name, pool, &self.doorbell, &url)
    }

    /// The same with a message for each event.
    pub(crate) fn one_by_one_over(&self, proxy: &Proxy, name: &str) -> Relay {
        let settings = Settings {
            events_per_message: 1,
            ..settings(name)
        };
        let url = self.vhost.url_over(proxy, BrokerUser::Relay);
        let pool = self.db.pool(Login::Relay);
        self.relay_with(settings, pool, &self.doorbell, &url)
    }

    /// A wire to the database that can be cut.
    pub(crate) async fn proxy_to_database(&self) -> Proxy {
        let url: PgConnectOptions = self.db.url(Login::Relay).parse().unwrap();
        let address = format!("{}:{}", url.get_host(), url.get_port());
        Proxy::to(address.parse().unwrap()).await
    }

    /// A relay that reaches its database over a wire.
    pub(crate) fn relay_with_database_over(&self, proxy: &Proxy, name: &str) -> Relay {
        let options: PgConnectOptions = self.db.url(Login::Relay).parse().unwrap();
        let (host, port) = (proxy.address().ip().to_string(), proxy.address().port());
        let pool = PgPoolOptions::new()
            .acquire_timeout(Duration::from_secs(5))
            .connect_lazy_with(options.host(&host).port(port));
        self.relay_of(
            name,
            pool,
            &self.doorbell,
            self.vhost.url(BrokerUser::Relay),
        )
    }

    fn relay_of(&self, name: &str, pool: PgPool, doorbell: &Doorbell, broker: &str) -> Relay {
        self.relay_with(settings(name), pool, doorbell, broker)
    }

    fn relay_with(
        &self,
        settings: Settings,
        pool: PgPool,
        doorbell: &Doorbell,
        broker: &str,
    ) -> Relay {
        let broker = BrokerUrl::parse(broker).unwrap();
        Relay::new(
            settings,
            pool,
            broker,
            doorbell.bell(),
            self.metrics.clone(),
        )
    }

    /// How many publishes the broker answered so.
    pub(crate) fn answers(&self, outcome: &'static str) -> u64 {
        let labels = PublishLabels {
            database: "orders",
            outcome,
        };
        self.metrics.relay.publishes.get_or_create(&labels).get()
    }

    /// Drives a relay's upkeep until it owns as many lanes: the connections of the last owners must be gone first.
    pub(crate) async fn take_over(&self, relay: &mut Relay, name: &str, lanes: i64) {
        poll_until("the lanes are taken over", DEADLINE, async || {
            relay.upkeep().await.unwrap();
            (self.owners().await.get(name) == Some(&lanes)).then_some(())
        })
        .await;
    }

    /// Cuts a relay's connection at the broker.
    pub(crate) async fn cut_connection(&self, relay: &str) {
        let connection = poll_until("the broker lists the connection", DEADLINE, async || {
            self.connection_of(relay).await
        })
        .await;
        self.cut(&connection).await;
    }

    /// The broker's name for a relay's connection; it lists new ones a few seconds late.
    pub(crate) async fn connection_of(&self, relay: &str) -> Option<String> {
        let wanted = format!("gozon relay {relay}");
        let path = format!("vhosts/{}/connections", self.vhost.name());
        let listed = self.vhost.management(Method::GET, &path, None).await;
        let listed = listed.unwrap();
        let mut connections = listed.as_array().unwrap().iter();
        let found = connections.find(|connection| {
            connection["client_properties"]["connection_name"] == wanted.as_str()
        })?;
        Some(found["name"].as_str()?.to_owned())
    }

    /// Cuts a connection by the broker's name for it.
    pub(crate) async fn cut(&self, connection: &str) {
        let name = connection.replace(' ', "%20").replace('>', "%3E");
        let path = format!("connections/{name}");
        self.vhost
            .management(Method::DELETE, &path, None)
            .await
            .unwrap();
    }

    /// Commits events, each of a key of its own; gives their keys.
    pub(crate) async fn append(&self, count: usize) -> Vec<OrderId> {
        let messages: Vec<_> = (0..count)
            .map(|_| (placed(OrderId::new()), TraceContext::root()))
            .collect();
        let mut tx = self.writer.begin().await.unwrap();
        outbox::append_all(&mut tx, &messages).await.unwrap();
        tx.commit().await.unwrap();
        self.doorbell.ring();
        messages
            .into_iter()
            .map(|(message, _)| message.order_id)
            .collect()
    }

    /// Takes every message off the queue: how often each order arrived.
    pub(crate) async fn arrived(&self) -> HashMap<String, usize> {
        let mut times = HashMap::new();
        while let Some(message) = self.get().await {
            let events: Vec<Value> = serde_json::from_slice(&message).unwrap();
            for event in events {
                *times
                    .entry(event["subject"].as_str().unwrap().to_owned())
                    .or_insert(0) += 1;
            }
        }
        times
    }

    async fn get(&self) -> Option<Vec<u8>> {
        let options = tests::lapin::options::BasicGetOptions { no_ack: true };
        let message = self
            .raw
            .channel()
            .basic_get(PAYMENT_ORDERS.name.into(), options)
            .await
            .unwrap();
        message.map(|message| message.delivery.data)
    }

    /// Waits until every one of these orders arrived; how often each did.
    pub(crate) async fn all_arrived(&self, orders: &[OrderId]) -> HashMap<String, usize> {
        let mut times: HashMap<String, usize> = HashMap::new();
        poll_until("all events arrive", DEADLINE, async || {
            for (order, count) in self.arrived().await {
                *times.entry(order).or_insert(0) += count;
            }
            orders
                .iter()
                .all(|order| times.contains_key(&order.to_string()))
                .then(|| times.clone())
        })
        .await
    }

    /// How many lanes each owner has.
    pub(crate) async fn owners(&self) -> HashMap<String, i64> {
        sqlx::query_as(
            "select coalesce(owner, 'nobody'), count(*) from messaging.lane group by owner",
        )
        .fetch_all(&self.db.admin_pool())
        .await
        .unwrap()
        .into_iter()
        .collect()
    }
}

fn settings(name: &str) -> Settings {
    Settings {
        name: name.to_owned(),
        database: "orders",
        events_per_message: relay::EVENTS_PER_MESSAGE,
    }
}

pub(crate) fn placed(order_id: OrderId) -> OrderPlaced {
    let user_id = UserId::try_from(1).unwrap();
    OrderPlaced {
        order_id,
        user_id,
        amount: Money::rub(100),
        placed_at: Some(OffsetDateTime::now_utc()),
    }
}
