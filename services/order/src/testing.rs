//! A database for the tests inside the crate.

use contracts::OrderId;
use messaging::schema::Roles;
use sqlx::PgPool;
use tests::{Login, Service, TestDatabase};

/// A database with the schema `orders`.
pub(crate) async fn database() -> TestDatabase {
    let database = TestDatabase::create(Service::Orders).await;
    let role = |login| database.role(login).to_owned();
    let roles = Roles {
        api: role(Login::Api),
        writer: role(Login::Writer),
        relay: role(Login::Relay),
        audit: role(Login::Audit),
        everyone: None,
    };
    let owner = database.pool(Login::Owner);
    crate::schema::migrate(&mut owner.acquire().await.unwrap(), &roles)
        .await
        .unwrap();
    database
}

/// An order of user 7 that is paid, without its history.
pub(crate) async fn paid_order(owner: &PgPool) -> OrderId {
    let id = OrderId::new();
    sqlx::query(
        "insert into orders.orders (id, user_id, amount_minor, currency, description, status, version, trace_id,
                                    created_at, decided_at)
        values ($1, 7, 100, 'RUB', 'Laces', 'FINISHED', 2, repeat('a', 32), now(), now())",
    )
    .bind(id)
    .execute(owner)
    .await
    .unwrap();
    id
}
