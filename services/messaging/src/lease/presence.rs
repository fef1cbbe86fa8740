//! Presence: a relay shows that it lives, what it has published and how it finds the broker.

use sqlx::PgConnection;

use super::LEASE;

/// The broker as a relay sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokerState {
    /// It takes what is published.
    Ok,
    /// It asked to pause: it runs out of memory or disk.
    Blocked,
    /// There is no connection to it.
    Away,
}

impl BrokerState {
    /// Its stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Blocked => "blocked",
            Self::Away => "away",
        }
    }
}

/// What a relay tells of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// How many events the broker has confirmed to it since it started.
    pub published: u64,
    /// How it finds the broker.
    pub broker: BrokerState,
}

impl Report {
    fn published(self) -> i64 {
        i64::try_from(self.published).unwrap_or(i64::MAX)
    }
}

/// Shows that the relay lives, forgets those long gone, and says how many live.
pub async fn heartbeat(
    connection: &mut PgConnection,
    relay: &str,
    report: Report,
) -> Result<i64, sqlx::Error> {
    sqlx::query!(
        "with gone as (
            delete from messaging.relay
            where greatest(heartbeat, told_at) < now() - interval '1 hour' and name <> $1
         )
         insert into messaging.relay (name, published, broker, told_at) values ($1, $2, $3, now())
         on conflict (name) do update set heartbeat = now(), published = $2, broker = $3, told_at = now()",
        relay,
        report.published(),
        report.broker.as_str(),
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query_scalar!(
        r#"select count(*) as "live!" from messaging.relay where heartbeat > now() - make_interval(secs => $1)"#,
        LEASE.as_secs_f64()
    )
    .fetch_one(connection)
    .await
}

/// Tells of a relay that cannot publish and owns nothing: it is heard, but does not count among the living, for lanes given
/// up for it would lie idle.
pub async fn tell(
    connection: &mut PgConnection,
    relay: &str,
    report: Report,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into messaging.relay (name, heartbeat, published, broker, told_at)
         values ($1, now() - make_interval(secs => $4), $2, $3, now())
         on conflict (name) do update set published = $2, broker = $3, told_at = now()",
        relay,
        report.published(),
        report.broker.as_str(),
        LEASE.as_secs_f64(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes the relay off the list of the living, so that the others' fair share grows at once.
pub async fn leave(connection: &mut PgConnection, relay: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from messaging.relay where name = $1", relay)
        .execute(connection)
        .await?;
    Ok(())
}
