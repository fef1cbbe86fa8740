//! What this crate's integration tests share: the service on a database of its own, asked without a port.

use std::time::Duration;

use axum::{Router, body::Body};
use chassis::{Principal, Profile, SessionKeys, http::HttpMetrics};
use contracts::UserId;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use messaging::{
    broker::BrokerUrl,
    doorbell::{Channel, Doorbell},
    pool::Pool,
    schema::Roles,
};
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use tests::{Login, Service, TestDatabase};
use time::OffsetDateTime;
use tower::ServiceExt;
use uuid::Uuid;

use crate::PaymentSettings;

/// A key for sessions, in base64url.
const SESSION_KEY: &str = "dGVzdHRlc3R0ZXN0dGVzdHRlc3R0ZXN0dGVzdHRlc3Q";

/// Everything a request could change.
const TABLES: [&str; 7] = [
    "payments.account",
    "payments.payment",
    "payments.ledger_entry",
    "messaging.outbox",
    "messaging.inbox",
    "messaging.dead_letter",
    "messaging.idempotency_key",
];

/// The payment service in a demo, on its own database.
pub(crate) struct Shop {
    pub(crate) database: TestDatabase,
    pub(crate) settings: PaymentSettings,
    /// Sees and may do everything: for looking, and for damage.
    pub(crate) admin: PgPool,
    router: Router,
}

/// An answer, read to its end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

/// The login roles of a test's database.
pub(crate) fn roles(database: &TestDatabase) -> Roles {
    Roles {
        api: database.role(Login::Api).to_owned(),
        writer: database.role(Login::Writer).to_owned(),
        relay: database.role(Login::Relay).to_owned(),
        audit: database.role(Login::Audit).to_owned(),
        everyone: None,
    }
}

/// A database with both schemas.
pub(crate) async fn migrated() -> TestDatabase {
    let database = TestDatabase::create(Service::Payments).await;
    let roles = roles(&database);
    let mut owner = PgConnection::connect(database.url(Login::Owner))
        .await
        .unwrap();
    messaging::schema::migrate(&mut owner, &roles)
        .await
        .unwrap();
    crate::schema::migrate(&mut owner, &roles).await.unwrap();
    owner.close().await.unwrap();
    database
}

pub(crate) fn user(id: i64) -> UserId {
    UserId::try_from(id).unwrap()
}

pub(crate) fn rubles(amount_minor: i64) -> Value {
    json!({ "amount_minor": amount_minor, "currency": "RUB" })
}

impl Shop {
    pub(crate) async fn open() -> Self {
        let nowhere = BrokerUrl::parse("amqp://nobody@127.0.0.1:1/nowhere").unwrap();
        Self::on(migrated().await, Profile::Demo, nowhere)
    }

    pub(crate) fn on(database: TestDatabase, profile: Profile, broker: BrokerUrl) -> Self {
        let mut registry = Registry::default();
        let messaging_metrics = messaging::metrics::Metrics::register(&mut registry);
        let measured = |login| Pool::new(database.pool(login), &messaging_metrics.database);
        let settings = PaymentSettings {
            api_pool: measured(Login::Api),
            writer_pool: measured(Login::Writer),
            outbox_bell: Doorbell::new(Channel::Outbox),
            session_keys: SessionKeys::parse(SESSION_KEY).unwrap(),
            profile,
            broker,
            metrics: crate::Metrics::register(&mut registry),
            messaging_metrics: messaging_metrics.clone(),
        };
        let (router, _) = crate::router(settings.clone()).split_for_parts();
        let router = chassis::http::finish(
            router,
            &HttpMetrics::register(&mut registry),
            chassis::trace::TraceOptions::unrecorded(contracts::service::PAYMENT),
        );
        Self {
            admin: database.admin_pool(),
            database,
            settings,
            router,
        }
    }

    /// Sends a request.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// A request of a signed-in user.
    pub(crate) fn request(
        &self,
        user_id: i64,
        method: Method,
        path: &str,
    ) -> http::request::Builder {
        let principal = Principal::customer(user(user_id));
        let token = self.settings.session_keys.issue(
            &principal,
            OffsetDateTime::now_utc(),
            Duration::from_mins(10),
        );
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
    }

    pub(crate) async fn get(&self, user_id: i64, path: &str) -> Answer {
        let request = self.request(user_id, Method::GET, path);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// Posts JSON under an idempotency key.
    pub(crate) async fn post(&self, user_id: i64, path: &str, key: &str, body: &Value) -> Answer {
        let request = self
            .request(user_id, Method::POST, path)
            .header("Idempotency-Key", key)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()));
        self.send(request.unwrap()).await
    }

    pub(crate) async fn open_account(&self, user_id: i64) -> Answer {
        self.post(user_id, "/api/v1/account", &fresh_key(), &json!({}))
            .await
    }

    pub(crate) async fn top_up(&self, user_id: i64, key: &str, amount_minor: i64) -> Answer {
        let body = json!({ "amount": rubles(amount_minor) });
        self.post(user_id, "/api/v1/account/top-ups", key, &body)
            .await
    }

    /// Opens an account with money on it.
    pub(crate) async fn customer(&self, user_id: i64, amount_minor: i64) {
        assert_eq!(self.open_account(user_id).await.status, StatusCode::CREATED);
        if amount_minor > 0 {
            let answer = self.top_up(user_id, &fresh_key(), amount_minor).await;
            assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        }
    }

    pub(crate) async fn balance(&self, user_id: i64) -> i64 {
        self.get(user_id, "/api/v1/account").await.json()["balance"]["amount_minor"]
            .as_i64()
            .unwrap()
    }

    /// Everything that is stored, row for row.
    pub(crate) async fn contents(&self) -> Value {
        let mut contents = serde_json::Map::new();
        for table in TABLES {
            let statement = format!(
                "select coalesce(jsonb_agg(to_jsonb(row) order by to_jsonb(row)::text), '[]') from {table} as row"
            );
            let rows: Value = sqlx::query_scalar(AssertSqlSafe(statement))
                .fetch_one(&self.admin)
                .await
                .unwrap();
            contents.insert(table.to_owned(), rows);
        }
        Value::Object(contents)
    }

    /// Holds the books against each other, as they must be at any moment between transactions.
    pub(crate) async fn check_books(&self) {
        for (what, query) in [
            (
                "accounts whose balance is not the sum of their entries",
                "select count(*) from payments.account where balance_minor <> (select coalesce(sum(amount_minor), 0)
                 from payments.ledger_entry where account_id = account.id)",
            ),
            (
                "entries that do not follow from the one before",
                "select count(*) from (
                    select balance_after_minor - amount_minor as before,
                        lag(balance_after_minor, 1, 0) over (partition by account_id order by number) as left_by_last
                    from payments.ledger_entry
                 ) as entry where before <> left_by_last",
            ),
            (
                "payments captured without their debit, or declined with one",
                "select count(*) from payments.payment left join payments.ledger_entry as entry
                 on entry.order_id = payment.order_id and entry.kind = 'PAYMENT' and entry.amount_minor = -payment.amount_minor
                 where (payment.outcome = 'CAPTURED') <> (entry.id is not null)",
            ),
            (
                "debits without a payment of that user",
                "select count(*) from payments.ledger_entry as entry join payments.account on account.id = account_id
                 left join payments.payment on payment.order_id = entry.order_id and payment.user_id = account.user_id
                 where entry.kind = 'PAYMENT' and payment.order_id is null",
            ),
            (
                "refunds that are not what was debited",
                "select count(*) from payments.ledger_entry as refund left join payments.ledger_entry as debit
                 on debit.order_id = refund.order_id and debit.kind = 'PAYMENT' and debit.account_id = refund.account_id
                    and debit.amount_minor = -refund.amount_minor
                 where refund.kind = 'REFUND' and debit.id is null",
            ),
        ] {
            let count: i64 = sqlx::query_scalar(query).fetch_one(&self.admin).await.unwrap();
            assert_eq!(count, 0, "{what}");
        }
    }
}

/// An idempotency key nobody has used.
pub(crate) fn fresh_key() -> String {
    Uuid::new_v4().to_string()
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The status and the stable code of a problem.
    pub(crate) fn problem(&self) -> (u16, String) {
        let content_type = &self.headers[header::CONTENT_TYPE];
        assert_eq!(content_type, "application/problem+json", "{}", self.text);
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        assert_eq!(problem["trace_id"].as_str().map(str::len), Some(32));
        (
            self.status.as_u16(),
            problem["code"].as_str().unwrap().to_owned(),
        )
    }
}
