//! An order service on a database of its own, and the words the tests speak to it.

use std::{fmt::Write, time::Duration};

use axum::{Router, body::Body};
use chassis::{Principal, Profile, SessionKeys, http::HttpMetrics, metrics::Registry};
use contracts::{
    DeclineReason, EventId, Money, OrderId, PaymentCaptured, PaymentDeclined, PaymentRefunded,
    TraceContext, UserId,
};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use messaging::{
    consumer::{Handler, Received},
    doorbell::{Channel, Doorbell},
    schema::Roles,
};
use order::{LoadLimits, OrderSettings, OrderState, Settlement, settlement::PaymentDecision};
use serde_json::{Value, json};
use sqlx::{
    AssertSqlSafe, PgPool, PgTransaction,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tests::{Login, Proxy, Service, TestDatabase};
use time::OffsetDateTime;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

/// The connections that each login of the service has.
pub(crate) const CONNECTIONS: u32 = 5;

/// The service and its database.
pub(crate) struct Shop {
    pub(crate) database: TestDatabase,
    pub(crate) state: OrderState,
    pub(crate) router: Router,
    pub(crate) admin: PgPool,
    pub(crate) metrics: order::Metrics,
    pub(crate) writer: PgPool,
    /// What the service's own connections go over.
    pub(crate) wire: Proxy,
    pub(crate) outbox_bell: Doorbell,
    pub(crate) status_bell: Doorbell,
    pub(crate) stopping: CancellationToken,
    pub(crate) sockets: TaskTracker,
    keys: SessionKeys,
}

/// An answer, read whole.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) json: Value,
}

pub(crate) fn roles(database: &TestDatabase) -> Roles {
    let role = |login| database.role(login).to_owned();
    Roles {
        api: role(Login::Api),
        writer: role(Login::Writer),
        relay: role(Login::Relay),
        audit: role(Login::Audit),
        everyone: Some("orders_everyone".to_owned()),
    }
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::open_as(Profile::Demo).await
    }

    pub(crate) async fn open_as(profile: Profile) -> Self {
        Self::open_with(profile, LoadLimits::default()).await
    }

    pub(crate) async fn open_with(profile: Profile, load_limits: LoadLimits) -> Self {
        let database = TestDatabase::create(Service::Orders).await;
        let owner = database.pool(Login::Owner);
        let mut connection = owner.acquire().await.unwrap();
        let roles = roles(&database);
        messaging::schema::migrate(&mut connection, &roles)
            .await
            .unwrap();
        order::schema::migrate(&mut connection, &roles)
            .await
            .unwrap();
        drop(connection);
        owner.close().await;

        let writer = database.pool(Login::Writer);
        let server: PgConnectOptions = database.url(Login::Api).parse().unwrap();
        let server = format!("{}:{}", server.get_host(), server.get_port());
        let wire = Proxy::to(server.parse().unwrap()).await;
        let outbox_bell = Doorbell::new(Channel::Outbox);
        let status_bell = Doorbell::new(Channel::StatusHistory);
        let keys = SessionKeys::parse("c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U").unwrap();
        let metrics = order::Metrics::default();
        let (stopping, sockets) = (CancellationToken::new(), TaskTracker::new());
        let state = OrderState::new(OrderSettings {
            api_pool: over(&wire, database.url(Login::Api)),
            writer_pool: over(&wire, database.url(Login::Writer)),
            outbox_bell: outbox_bell.clone(),
            status_bell: status_bell.clone(),
            session_keys: keys.clone(),
            profile,
            everyone_role: "orders_everyone".to_owned(),
            load_limits,
            metrics: metrics.clone(),
            messaging_metrics: messaging::metrics::Metrics::default(),
            stopping: stopping.clone(),
            sockets: sockets.clone(),
        });
        let router = chassis::http::finish(
            order::router(&state).into(),
            &HttpMetrics::register(&mut Registry::default()),
            chassis::trace::TraceOptions::unrecorded(contracts::service::ORDER),
        );
        let admin = database.admin_pool();
        Self {
            database,
            state,
            router,
            admin,
            metrics,
            writer,
            wire,
            outbox_bell,
            status_bell,
            stopping,
            sockets,
            keys,
        }
    }

    pub(crate) fn bearer(&self, user: i64) -> String {
        let principal = Principal::customer(user_id(user));
        let hour = Duration::from_hours(1);
        format!(
            "Bearer {}",
            self.keys.issue(&principal, OffsetDateTime::now_utc(), hour)
        )
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Answer {
            status: parts.status,
            headers: parts.headers,
            json,
        }
    }

    pub(crate) async fn get(&self, user: i64, path: &str) -> Answer {
        let request = Request::get(path).header("authorization", self.bearer(user));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// Places an order under a key.
    pub(crate) async fn place(&self, user: i64, key: &str, body: &Value) -> Answer {
        let request = Request::post("/api/v1/orders")
            .header("authorization", self.bearer(user))
            .header("idempotency-key", key)
            .header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    /// Places an order of 199 roubles and says its id.
    pub(crate) async fn placed(&self, user: i64) -> OrderId {
        let key = OrderId::new().to_string();
        let answer = self
            .place(user, &key, &order_of(19_900, "A pair of skates"))
            .await;
        assert_eq!(answer.status, StatusCode::CREATED, "{:?}", answer.json);
        answer.json["id"].as_str().unwrap().parse().unwrap()
    }

    /// Gives an order up under a key, if it is at a version.
    pub(crate) async fn cancel(&self, user: i64, id: OrderId, key: &str, etag: &str) -> Answer {
        let request = Request::post(format!("/api/v1/orders/{id}/cancel"))
            .header("authorization", self.bearer(user))
            .header("idempotency-key", key)
            .header("if-match", etag);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// Places an order of 199 roubles and has it paid and given up.
    pub(crate) async fn given_up(&self, user: i64) -> OrderId {
        let id = self.placed(user).await;
        self.settle(&[id]).await;
        let key = OrderId::new().to_string();
        let answer = self.cancel(user, id, &key, "\"2\"").await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{:?}", answer.json);
        id
    }

    /// Has orders paid; says by which events.
    pub(crate) async fn settle(&self, ids: &[OrderId]) -> Vec<EventId> {
        let paid = ids.iter().map(|id| captured(*id).into());
        self.hear(paid.collect()).await
    }

    /// Has the money of orders given back.
    pub(crate) async fn refund(&self, ids: &[OrderId]) {
        let refunds = ids.iter().map(|id| refunded(*id).into());
        self.hear(refunds.collect()).await;
    }

    /// Has the payment service say this; says by which events.
    async fn hear(&self, messages: Vec<PaymentDecision>) -> Vec<EventId> {
        let received = |message| Received {
            event_id: EventId::new(),
            trace: TraceContext::root(),
            received_at: OffsetDateTime::now_utc(),
            message,
        };
        let batch: Vec<_> = messages.into_iter().map(received).collect();
        let handler = Settlement::new(self.status_bell.clone(), self.metrics.clone());
        let mut tx = self.writer.begin().await.unwrap();
        let (unsettled, decided) = handler.settle(&mut tx, &batch).await.unwrap();
        assert_eq!(unsettled, []);
        tx.commit().await.unwrap();
        handler.committed(decided);
        batch.iter().map(|received| received.event_id).collect()
    }

    /// Inserts orders in one transaction, past the API, and rings.
    pub(crate) async fn place_many(&self, user: i64, orders: usize) {
        let mut tx = self.writer.begin().await.unwrap();
        insert_orders(&mut tx, user, orders).await;
        tx.commit().await.unwrap();
        self.status_bell.ring();
    }

    /// Everything in the tables of both schemas, as one text.
    pub(crate) async fn contents(&self) -> String {
        let tables: Vec<String> = sqlx::query_scalar(
            "select format('%I.%I', schemaname, tablename) from pg_tables
            where schemaname in ('orders', 'messaging') and tablename <> '_migrations'
            order by 1",
        )
        .fetch_all(&self.admin)
        .await
        .unwrap();
        let mut contents = String::new();
        for table in tables {
            let rows: Value = sqlx::query_scalar(AssertSqlSafe(format!(
                "select coalesce(jsonb_agg(to_jsonb(t) order by to_jsonb(t)::text), '[]') from {table} t"
            )))
            .fetch_one(&self.admin)
            .await
            .unwrap();
            writeln!(contents, "{table}: {rows}").unwrap();
        }
        contents
    }

    pub(crate) async fn count(&self, table: &str) -> i64 {
        let statement = format!("select count(*) from {table}");
        sqlx::query_scalar(AssertSqlSafe(statement))
            .fetch_one(&self.admin)
            .await
            .unwrap()
    }

    /// Runs statements as superuser.
    pub(crate) async fn damage(&self, statements: &str) {
        sqlx::raw_sql(AssertSqlSafe(statements.to_owned()))
            .execute(&self.admin)
            .await
            .unwrap();
    }
}

/// Inserts new orders with their history, and nothing else.
pub(crate) async fn insert_orders(tx: &mut PgTransaction<'_>, user: i64, orders: usize) {
    let ids: Vec<_> = (0..orders).map(|_| OrderId::new().as_uuid()).collect();
    sqlx::query(
        "with placed as (
            insert into orders.orders
                (id, user_id, amount_minor, currency, description, status, version, trace_id, created_at)
            select id, $2, 100, 'RUB', 'Laces', 'NEW', 1, repeat('a', 32), now()
            from unnest($1) as new (id)
            returning id, number
        )
        insert into orders.status_history (order_id, user_id, version, status, at)
        select id, $2, 1, 'NEW', now() from placed order by number",
    )
    .bind(ids)
    .bind(user)
    .execute(&mut **tx)
    .await
    .unwrap();
}

fn over(wire: &Proxy, url: &str) -> PgPool {
    let options: PgConnectOptions = url.parse().unwrap();
    let address = wire.address();
    PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(Duration::from_secs(2))
        .connect_lazy_with(options.host(&address.ip().to_string()).port(address.port()))
}

pub(crate) fn user_id(user: i64) -> UserId {
    UserId::try_from(user).unwrap()
}

pub(crate) fn order_of(amount_minor: i64, description: &str) -> Value {
    json!({"amount": {"amount_minor": amount_minor, "currency": "RUB"}, "description": description})
}

pub(crate) fn rub(amount_minor: i64) -> Value {
    serde_json::to_value(Money::rub(amount_minor)).unwrap()
}

pub(crate) fn captured(order_id: OrderId) -> PaymentCaptured {
    let now = OffsetDateTime::now_utc();
    PaymentCaptured {
        order_id,
        received_at: Some(now),
        decided_at: now,
    }
}

pub(crate) fn declined(order_id: OrderId, reason: DeclineReason) -> PaymentDeclined {
    let now = OffsetDateTime::now_utc();
    PaymentDeclined {
        order_id,
        reason,
        received_at: Some(now),
        decided_at: now,
    }
}

pub(crate) fn refunded(order_id: OrderId) -> PaymentRefunded {
    PaymentRefunded {
        order_id,
        refunded_at: OffsetDateTime::now_utc(),
    }
}
