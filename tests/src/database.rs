//! A Postgres database per test, with the login roles a real one has.

mod copy;

use std::{str::FromStr, time::Duration};

use sqlx::{
    AssertSqlSafe, Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::sync::OnceCell;
use url::Url;

use crate::{Instance, background, leftovers};

/// Whose database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// The order service.
    Orders,
    /// The payment service.
    Payments,
}

impl Service {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Orders, Self::Payments];

    /// `orders` or `payments`: the database's name in production and the prefix of its roles.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Payments => "payments",
        }
    }
}

/// The login roles of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Login {
    /// Migrates.
    Owner,
    /// Reads for HTTP, under row-level security.
    Api,
    /// Writes: intake and settlement.
    Writer,
    /// Tails the outbox.
    Relay,
    /// Reads everything.
    Audit,
}

impl Login {
    /// All five.
    pub const ALL: [Self; 5] = [
        Self::Owner,
        Self::Api,
        Self::Writer,
        Self::Relay,
        Self::Audit,
    ];

    /// The role's name without its database's prefix.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Api => "api",
            Self::Writer => "writer",
            Self::Relay => "relay",
            Self::Audit => "audit",
        }
    }
}

/// An empty database of its own for one test; dropped with it.
#[derive(Debug)]
pub struct TestDatabase {
    service: Service,
    name: String,
    admin: Url,
    urls: [Url; Login::ALL.len()],
}

impl TestDatabase {
    /// Creates a database on the instance of this run.
    ///
    /// # Panics
    /// When the instance is not there.
    pub async fn create(service: Service) -> Self {
        Self::create_on(&Instance::OfThisRun, service).await
    }

    /// Creates a database on a given instance.
    ///
    /// # Panics
    /// When the instance is not there.
    pub async fn create_on(instance: &Instance, service: Service) -> Self {
        static SWEPT: OnceCell<()> = OnceCell::const_new();
        if let Instance::OfThisRun = instance {
            SWEPT
                .get_or_init(|| async {
                    if let Err(error) = drop_abandoned(&instance.url(ADMIN_URL)).await {
                        eprintln!("cannot remove databases of earlier runs: {error}");
                    }
                })
                .await;
        }
        let name = leftovers::unique_name(service.name());
        let urls = Login::ALL.map(|login| {
            let variable = format!(
                "GOZON_{}_{}_URL",
                service.name().to_uppercase(),
                login.name().to_uppercase()
            );
            with_database(&instance.url(&variable), &name)
        });
        let server = instance.url(ADMIN_URL);
        let database = Self {
            service,
            admin: with_database(&server, &name),
            name,
            urls,
        };
        database
            .create_with_grants(&server)
            .await
            .unwrap_or_else(|error| panic!("cannot create database {}: {error}", database.name));
        database
    }

    /// Whose database it is.
    #[must_use]
    pub const fn service(&self) -> Service {
        self.service
    }

    /// The database's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The connection URL of a login role, password included.
    #[must_use]
    pub fn url(&self, login: Login) -> &str {
        self.url_of(login).as_str()
    }

    /// The role's name as Postgres knows it, for example `orders_api`.
    #[must_use]
    pub fn role(&self, login: Login) -> &str {
        self.url_of(login).username()
    }

    /// A new pool of a login role: at most five connections, made when first used.
    ///
    /// # Panics
    /// When the URL is not one Postgres understands.
    #[must_use]
    pub fn pool(&self, login: Login) -> PgPool {
        lazy_pool(self.url_of(login))
    }

    /// A new pool of the superuser in this database: for what no login role may do, such as damage.
    ///
    /// # Panics
    /// When the URL is not one Postgres understands.
    #[must_use]
    pub fn admin_pool(&self) -> PgPool {
        lazy_pool(&self.admin)
    }

    fn url_of(&self, login: Login) -> &Url {
        // The order of the variants is the order of `Login::ALL`, by which the array was made.
        &self.urls[login as usize]
    }

    /// What `services/gozon/local/databases.sql` does for a database whose roles exist already.
    async fn create_with_grants(&self, server: &Url) -> sqlx::Result<()> {
        let name = &self.name;
        let owner = self.role(Login::Owner);
        let logins = Login::ALL
            .map(|login| format!("\"{}\"", self.role(login)))
            .join(", ");
        let mut server = PgConnection::connect(server.as_str()).await?;
        for statement in [
            format!("create database \"{name}\" owner \"{owner}\""),
            format!("revoke connect, temporary on database \"{name}\" from public"),
            format!("grant connect on database \"{name}\" to {logins}"),
        ] {
            sqlx::raw_sql(AssertSqlSafe(statement))
                .execute(&mut server)
                .await?;
        }
        server.close().await?;
        let mut inside = PgConnection::connect(self.admin.as_str()).await?;
        sqlx::raw_sql("revoke create on schema public from public")
            .execute(&mut inside)
            .await?;
        inside.close().await
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let name = self.name.clone();
        let server = with_database(&self.admin, "postgres");
        background::finish("cannot drop a test's database", async move {
            let mut server = PgConnection::connect(server.as_str()).await?;
            drop_database(&mut server, &name).await?;
            Ok(server.close().await?)
        });
    }
}

const ADMIN_URL: &str = "GOZON_POSTGRES_ADMIN_URL";

fn with_database(url: &Url, name: &str) -> Url {
    let mut url = url.clone();
    url.set_path(name);
    url
}

fn lazy_pool(url: &Url) -> PgPool {
    let options = PgConnectOptions::from_str(url.as_str())
        .expect("the URL was made from one the instance gave")
        .application_name("gozon-test");
    PgPoolOptions::new()
        .max_connections(5)
        .acquire_timeout(Duration::from_secs(10))
        .connect_lazy_with(options)
}

async fn drop_abandoned(server: &Url) -> sqlx::Result<()> {
    let mut server = PgConnection::connect(server.as_str()).await?;
    let names: Vec<String> = sqlx::query_scalar("select datname from pg_database")
        .fetch_all(&mut server)
        .await?;
    for name in names.iter().filter(|name| leftovers::is_abandoned(name)) {
        drop_database(&mut server, name).await?;
    }
    server.close().await
}

async fn drop_database(server: &mut PgConnection, name: &str) -> sqlx::Result<()> {
    let statement = format!("drop database if exists \"{name}\" with (force)");
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(server)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_login_role_enters_its_database_and_no_other() {
        let orders = TestDatabase::create(Service::Orders).await;
        let payments = TestDatabase::create(Service::Payments).await;
        for login in Login::ALL {
            let user: String = sqlx::query_scalar("select current_user::text")
                .fetch_one(&orders.pool(login))
                .await
                .unwrap();
            assert_eq!(user, orders.role(login));
            let trespass = with_database(orders.url_of(login), payments.name());
            let refusal = PgConnection::connect(trespass.as_str()).await.unwrap_err();
            let refusal = refusal.into_database_error().unwrap();
            assert_eq!(refusal.code().as_deref(), Some("42501"), "{refusal}");
        }
    }

    #[tokio::test]
    async fn only_the_owner_creates_schemas() {
        let database = TestDatabase::create(Service::Payments).await;
        for login in Login::ALL {
            let created = sqlx::raw_sql("create schema mine")
                .execute(&database.pool(login))
                .await;
            assert_eq!(created.is_ok(), login == Login::Owner, "{login:?}");
        }
    }

    #[tokio::test]
    async fn a_dropped_database_is_gone() {
        let database = TestDatabase::create(Service::Orders).await;
        let name = database.name().to_owned();
        let pool = database.pool(Login::Owner);
        sqlx::raw_sql("select 1").execute(&pool).await.unwrap();
        let server = lazy_pool(&Instance::OfThisRun.url(ADMIN_URL));
        drop(database);
        let found: bool =
            sqlx::query_scalar("select exists (select 1 from pg_database where datname = $1)")
                .bind(name)
                .fetch_one(&server)
                .await
                .unwrap();
        assert!(!found);
    }
}
