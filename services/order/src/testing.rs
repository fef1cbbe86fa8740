//! A database for the tests inside the crate.

use messaging::schema::Roles;
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
