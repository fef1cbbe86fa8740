//! Connection pools whose every wait is bounded, by the client and by the server.

use std::{fmt, str::FromStr, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    Connection,
    postgres::{PgConnectOptions, PgPool, PgPoolOptions},
};

/// The limits of one pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolSettings {
    /// What `pg_stat_activity` shows.
    pub application_name: String,
    /// The most connections held at once.
    pub max_connections: u32,
    /// How long one statement may run.
    pub statement_timeout: Duration,
    /// How long a statement may wait for a lock.
    pub lock_timeout: Duration,
    /// How long a transaction may sit idle.
    pub idle_in_transaction_timeout: Duration,
    /// How long a caller waits for a connection.
    pub acquire_timeout: Duration,
}

/// A connection that answered so recently is taken without asking whether it still does: that would be one round trip
/// more for every transaction. Should it be gone all the same, consumers and relays try again, and a request is answered
/// 503 as it is while the database is away. What is kept at hand beside a pool is taken for as long (`messaging::pool`).
const FRESH: Duration = Duration::from_secs(1);

/// A database URL that is none.
#[derive(Debug, thiserror::Error)]
#[error("the database URL is not of the form postgres://role:password@host:port/database")]
pub struct InvalidUrl(#[source] sqlx::Error);

impl PoolSettings {
    /// For reads on behalf of HTTP requests.
    #[must_use]
    pub fn for_api(application_name: impl Into<String>) -> Self {
        Self::new(application_name, 16, 5, 1, 2)
    }

    /// For intake and settlement.
    #[must_use]
    pub fn for_writer(application_name: impl Into<String>) -> Self {
        Self::new(application_name, 16, 10, 2, 2)
    }

    /// For a relay.
    #[must_use]
    pub fn for_relay(application_name: impl Into<String>) -> Self {
        Self::new(application_name, 6, 10, 1, 5)
    }

    /// For an audit, which reads everything there is. Nobody waits behind it, so it may itself wait for a lock.
    #[must_use]
    pub fn for_audit(application_name: impl Into<String>) -> Self {
        Self::new(application_name, 1, 300, 30, 10)
    }

    /// For the one who migrates.
    #[must_use]
    pub fn for_owner(application_name: impl Into<String>) -> Self {
        Self::new(application_name, 2, 60, 5, 10)
    }

    fn new(
        application_name: impl Into<String>,
        max_connections: u32,
        statement_seconds: u64,
        lock_seconds: u64,
        acquire_seconds: u64,
    ) -> Self {
        Self {
            application_name: application_name.into(),
            max_connections,
            statement_timeout: Duration::from_secs(statement_seconds),
            lock_timeout: Duration::from_secs(lock_seconds),
            idle_in_transaction_timeout: Duration::from_secs(statement_seconds),
            acquire_timeout: Duration::from_secs(acquire_seconds),
        }
    }

    /// The server's side of the limits, as settings of each connection.
    fn server_limits(&self) -> [(&'static str, Milliseconds); 3] {
        [
            ("statement_timeout", Milliseconds(self.statement_timeout)),
            ("lock_timeout", Milliseconds(self.lock_timeout)),
            (
                "idle_in_transaction_session_timeout",
                Milliseconds(self.idle_in_transaction_timeout),
            ),
        ]
    }
}

/// A pool that connects when it is first used, so that a process starts while its database is away.
pub fn connect(url: &SecretString, settings: &PoolSettings) -> Result<PgPool, InvalidUrl> {
    let options = options(url, settings)?;
    Ok(PgPoolOptions::new()
        .max_connections(settings.max_connections)
        .acquire_timeout(settings.acquire_timeout)
        .idle_timeout(Duration::from_mins(10))
        .max_lifetime(Duration::from_mins(30))
        .test_before_acquire(false)
        .before_acquire(|connection, used| {
            Box::pin(async move {
                if used.idle_for > FRESH {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options))
}

/// The options of a single connection with the same limits. An index serves every statement of ours, so scanning a whole
/// table is ruled out: a plan cached while a table was empty would go on scanning it when it is full. And since there is
/// one right plan for each, it is made once: planning a read of the outbox anew, with all its partitions, costs ten times
/// the read.
pub fn options(
    url: &SecretString,
    settings: &PoolSettings,
) -> Result<PgConnectOptions, InvalidUrl> {
    Ok(PgConnectOptions::from_str(url.expose_secret())
        .map_err(InvalidUrl)?
        .application_name(&settings.application_name)
        .options(settings.server_limits())
        .options([
            ("enable_seqscan", "off"),
            ("plan_cache_mode", "force_generic_plan"),
        ]))
}

/// A duration as Postgres reads it.
struct Milliseconds(Duration);

impl fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_told_the_limits_too() {
        let url = SecretString::from("postgres://api:secret@localhost/orders");
        let options = options(&url, &PoolSettings::for_api("gozon order api")).unwrap();
        assert_eq!(
            options.get_options(),
            Some(
                "-c statement_timeout=5000ms -c lock_timeout=1000ms \
                 -c idle_in_transaction_session_timeout=5000ms -c enable_seqscan=off \
                 -c plan_cache_mode=force_generic_plan"
            )
        );
        assert_eq!(options.get_application_name(), Some("gozon order api"));
    }

    #[test]
    fn a_url_that_is_none_is_refused_without_its_password() {
        for url in ["postgres://api:secret@host:port/orders", "secret", ""] {
            let error = connect(&SecretString::from(url), &PoolSettings::for_api("api"))
                .expect_err("refused");
            let said = crate::chain(&error).to_string();
            assert!(!said.contains("secret"), "{said}");
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        }
    }
}
