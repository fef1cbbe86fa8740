//! Each login role tried on what it must not do, in a shop with data in it.

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgPool, error::DatabaseError};
use tests::{BrokerUser, Customer, Login, RawBroker, Service, Shop, lapin::BasicProperties};

const SOON: Duration = Duration::from_secs(30);

/// `insufficient_privilege`.
const REFUSED: &str = "42501";

/// What nobody but the owner may do, anywhere.
const FOR_NOBODY: &[&str] = &[
    "create table public.mine (x int)",
    "create schema mine",
    "create table messaging.mine (x int)",
    "drop table messaging.outbox",
    "truncate messaging.inbox",
    "alter table messaging.dead_letter add column x int",
    "update messaging.dead_letter set body = ''",
    "delete from messaging.outbox",
    "update messaging.outbox set body = ''",
    "delete from messaging.inbox",
    "delete from messaging.idempotency_key",
    "delete from messaging.lane",
    "insert into messaging._migrations default values",
];

/// What a role may not do in the order database.
const IN_ORDERS: &[(Login, &[&str])] = &[
    (
        Login::Api,
        &[
            "delete from messaging.dead_letter",
            "delete from messaging.deferred",
            "delete from orders.orders",
            "update orders.orders set status = 'FINISHED'",
            "insert into orders.orders default values",
            "insert into orders.status_history default values",
            "select 1 from messaging.outbox",
            "select 1 from messaging.inbox",
            "select 1 from messaging.idempotency_key",
            "select 1 from messaging.dead_letter",
            "insert into messaging.outbox default values",
            "select messaging.maintain_partitions()",
        ],
    ),
    (
        Login::Writer,
        &[
            "delete from orders.orders",
            "truncate orders.orders",
            "update orders.orders set amount_minor = 1",
            "update orders.orders set user_id = 1",
            "update orders.status_history set status = 'FINISHED'",
            "delete from orders.status_history",
            "select body from messaging.outbox",
            "select traceparent from messaging.outbox",
            "update messaging.relay set heartbeat = now()",
            "delete from messaging.relay",
            "update messaging.operation set who = 'nobody'",
            "delete from messaging.operation",
            "update messaging.lane set epoch = 0",
            "select messaging.maintain_partitions()",
            "set role orders_everyone",
            "alter table orders.orders disable row level security",
        ],
    ),
    (
        Login::Relay,
        &[
            "delete from messaging.dead_letter",
            "delete from messaging.deferred",
            "select 1 from orders.orders",
            "select 1 from orders.status_history",
            "insert into messaging.outbox default values",
            "select 1 from messaging.inbox",
            "select 1 from messaging.dead_letter",
            "set role orders_everyone",
        ],
    ),
    (
        Login::Audit,
        &[
            "delete from messaging.dead_letter",
            "delete from messaging.deferred",
            "update orders.orders set status = 'FINISHED'",
            "insert into orders.status_history default values",
            "insert into messaging.dead_letter default values",
            "update messaging.lane set epoch = 0",
            "select messaging.maintain_partitions()",
            "set role orders_everyone",
        ],
    ),
];

/// What a role may not do in the payment database.
const IN_PAYMENTS: &[(Login, &[&str])] = &[
    (
        Login::Api,
        &[
            "delete from messaging.dead_letter",
            "delete from messaging.deferred",
            "update payments.account set balance_minor = 1",
            "insert into payments.ledger_entry default values",
            "select 1 from payments.payment",
            "select 1 from messaging.outbox",
            "insert into messaging.outbox default values",
        ],
    ),
    (
        Login::Writer,
        &[
            "update payments.ledger_entry set amount_minor = 1",
            "delete from payments.ledger_entry",
            "truncate payments.ledger_entry",
            "update payments.payment set outcome = 'CAPTURED'",
            "delete from payments.payment",
            "delete from payments.account",
            "update payments.account set user_id = 1",
            "alter table payments.account drop constraint account_balance_not_negative",
            "update messaging.lane set epoch = 0",
        ],
    ),
    (
        Login::Relay,
        &[
            "delete from messaging.dead_letter",
            "delete from messaging.deferred",
            "select 1 from payments.account",
            "select 1 from payments.ledger_entry",
            "select 1 from payments.payment",
            "insert into messaging.outbox default values",
        ],
    ),
    (
        Login::Audit,
        &[
            "delete from messaging.dead_letter",
            "delete from messaging.deferred",
            "update payments.account set balance_minor = 1",
            "delete from payments.ledger_entry",
            "insert into messaging.dead_letter default values",
        ],
    ),
];

#[tokio::test]
async fn each_login_role_is_refused_what_it_must_not_do() {
    let shop = Shop::shared().await;
    for (service, refusals) in [
        (Service::Orders, IN_ORDERS),
        (Service::Payments, IN_PAYMENTS),
    ] {
        for (login, statements) in refusals {
            let pool = shop.database(service).pool(*login);
            for statement in FOR_NOBODY.iter().chain(*statements) {
                refused(&pool, *login, statement).await;
            }
        }
    }
}

#[tokio::test]
async fn the_api_role_sees_rows_of_the_user_it_speaks_for_alone() {
    let shop = Shop::shared().await;
    let entrance = shop.entrance();
    let anna = Customer::with_balance(&entrance, 100).await;
    let boris = Customer::with_balance(&entrance, 100).await;
    for customer in [&anna, &boris] {
        let order = customer.place(1).await;
        customer.ended(&[order], SOON).await;
    }
    for (service, table) in [
        (Service::Orders, "orders.orders"),
        (Service::Orders, "orders.status_history"),
        (Service::Payments, "payments.account"),
        (Service::Payments, "payments.ledger_entry"),
    ] {
        let pool = shop.database(service).pool(Login::Api);
        assert_eq!(visible(&pool, table, None).await, 0, "{table}");
        assert_eq!(visible(&pool, table, Some("0")).await, 0, "{table}");
        let audit = shop.database(service).pool(Login::Audit);
        let all = visible(&audit, table, None).await;
        let of_anna = visible(&pool, table, Some(&anna.user_id.to_string())).await;
        assert!(0 < of_anna && of_anna < all, "{table}: {of_anna} of {all}");
    }
}

#[tokio::test]
async fn the_broker_lets_the_services_read_their_queues_and_publish_nothing() {
    let shop = Shop::shared().await;
    for (exchange, routing_key) in [
        ("gozon.events", "order.placed.v1"),
        ("gozon.dead-letters", "payment.orders.v1"),
        ("", "payment.orders.v1"),
    ] {
        let service = RawBroker::connect(shop.vhost().url(BrokerUser::Service)).await;
        let published = service
            .channel()
            .basic_publish(
                exchange.into(),
                routing_key.into(),
                tests::lapin::options::BasicPublishOptions::default(),
                b"[]",
                BasicProperties::default(),
            )
            .await;
        let outcome = match published {
            Ok(confirm) => confirm.await.map(|_| ()),
            Err(error) => Err(error),
        };
        let error = outcome.expect_err("a service that publishes").to_string();
        assert!(error.contains("ACCESS_REFUSED"), "{error}");
    }
}

async fn refused(pool: &PgPool, login: Login, statement: &'static str) {
    let mut tx = pool.begin().await.unwrap();
    let outcome = sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut *tx)
        .await;
    let error = outcome
        .err()
        .unwrap_or_else(|| panic!("{login:?} may: {statement}"));
    let refusal = error.as_database_error().and_then(DatabaseError::code);
    assert_eq!(
        refusal.as_deref(),
        Some(REFUSED),
        "{login:?}: {statement}: {error}"
    );
}

async fn visible(pool: &PgPool, table: &str, user: Option<&str>) -> i64 {
    let mut tx = pool.begin().await.unwrap();
    if let Some(user) = user {
        sqlx::query("select set_config('gozon.user_id', $1, true)")
            .bind(user)
            .execute(&mut *tx)
            .await
            .unwrap();
    }
    let statement = format!("select count(*) from {table}");
    sqlx::query_scalar(AssertSqlSafe(statement))
        .fetch_one(&mut *tx)
        .await
        .unwrap()
}
