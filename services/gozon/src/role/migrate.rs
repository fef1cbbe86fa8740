//! `gozon migrate`: creates or upgrades both databases' schemas, grants them to the login roles, declares the topology.
//!
//! Everything it does may be done again. It makes no logins: whoever sets the databases up does.

use std::time::Duration;

use anyhow::Context;
use chassis::{
    Profile,
    pool::{self, PoolSettings},
};
use messaging::{broker::BrokerUrl, topology};
use sqlx::{ConnectOptions, Connection, postgres::PgConnection};
use tokio::time::{Instant, timeout};

use crate::config::{Database, DatabaseToMigrate, Environment, MigrateArgs, MigrateConfig};

mod lock;
mod versions;

use versions::Versions;

/// How long a connection may take to be made.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

/// How long the topology may take to be declared.
const TOPOLOGY_TIME_MAX: Duration = Duration::from_secs(30);

/// Migrates and says on standard output what it did.
pub(crate) async fn run(
    args: MigrateArgs,
    profile: Profile,
    environment: &Environment,
) -> anyhow::Result<()> {
    let config = MigrateConfig::read(args, profile, environment)?;
    for database in &config.databases {
        migrate(database).await.with_context(|| {
            format!(
                "the database {} was not migrated",
                database.database.as_str()
            )
        })?;
    }
    if let Some(broker) = &config.broker {
        declare(broker)
            .await
            .context("the broker's topology was not declared")?;
    }
    Ok(())
}

async fn migrate(wanted: &DatabaseToMigrate) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut connection = connect(wanted).await?;
    lock::acquire(&mut connection, wanted.database).await?;
    let before = Versions::read(&mut connection, wanted.database).await?;
    apply(&mut connection, wanted).await?;
    let after = Versions::read(&mut connection, wanted.database).await?;
    // Closing the session also gives the lock back.
    connection.close().await?;
    println!(
        "database {:9} {} ({} ms)",
        wanted.database.as_str(),
        after.since(&before),
        begun.elapsed().as_millis()
    );
    Ok(())
}

async fn connect(wanted: &DatabaseToMigrate) -> anyhow::Result<PgConnection> {
    let variable = wanted.database.owner_url_name();
    let settings = PoolSettings::for_owner("gozon migrate");
    let options = pool::options(&wanted.owner_url, &settings).context(variable)?;
    timeout(CONNECT_TIME_MAX, options.connect())
        .await
        .with_context(|| format!("no connection within {CONNECT_TIME_MAX:?} ({variable})"))?
        .with_context(|| format!("no connection ({variable})"))
}

async fn apply(connection: &mut PgConnection, wanted: &DatabaseToMigrate) -> anyhow::Result<()> {
    let roles = &wanted.roles;
    messaging::schema::migrate(connection, roles)
        .await
        .context("schema messaging")?;
    match wanted.database {
        Database::Orders => order::schema::migrate(connection, roles)
            .await
            .context("schema orders"),
        Database::Payments => payment::schema::migrate(connection, roles)
            .await
            .context("schema payments"),
    }
}

async fn declare(broker: &BrokerUrl) -> anyhow::Result<()> {
    let begun = Instant::now();
    timeout(TOPOLOGY_TIME_MAX, topology::declare(broker))
        .await
        .with_context(|| format!("no answer within {TOPOLOGY_TIME_MAX:?}"))??;
    let queues: Vec<_> = topology::QUEUES.iter().map(|queue| queue.name).collect();
    println!(
        "broker   {:9} queues {} ({} ms)",
        "declared",
        queues.join(", "),
        begun.elapsed().as_millis()
    );
    Ok(())
}
