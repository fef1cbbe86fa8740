//! Deferred events: rows that the consumer tries again by itself, until they are settled or have been tried too often.

use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, PgPool, PgTransaction};
use uuid::Uuid;

use crate::{consumer::Parcel, dead_letter::storable, failure::Rejection};

/// The most deferred rows that are counted for the metric.
pub(crate) const MAX_COUNTED: i64 = 10_000;

/// An event that is put off.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deferral<'e> {
    pub(crate) message_id: Uuid,
    pub(crate) parcel: &'e Parcel<'e>,
    pub(crate) rejection: &'e Rejection,
    /// How often it was tried.
    pub(crate) attempts: i32,
    /// How long until the next attempt.
    pub(crate) delay: Duration,
}

/// A deferred event that is due.
#[derive(Debug)]
pub(crate) struct Due {
    pub(crate) id: i64,
    pub(crate) attempts: i32,
    pub(crate) routing_key: String,
    pub(crate) headers: Value,
    pub(crate) body: Vec<u8>,
}

/// Puts events off, in the transaction that enters them into the inbox.
pub(crate) async fn write(
    tx: &mut PgTransaction<'_>,
    consumer: &str,
    deferrals: &[Deferral<'_>],
) -> Result<(), sqlx::Error> {
    for deferral in deferrals {
        let parcel = deferral.parcel;
        sqlx::query!(
            "insert into messaging.deferred
                 (consumer, message_id, body_digest, type, routing_key, headers, body, attempts, next_attempt_at,
                  reason_class, reason, trace_id)
             values ($1, $2, $3, $4, $5, $6, $7, $8, now() + make_interval(secs => $9), $10, $11, $12)
             on conflict (consumer, message_id, body_digest) do nothing",
            consumer,
            deferral.message_id,
            &Sha256::digest(parcel.body)[..],
            parcel.kind.as_deref().map(storable).unwrap_or_default(),
            parcel.origin.routing_key(),
            parcel.origin.headers(),
            parcel.body,
            deferral.attempts,
            deferral.delay.as_secs_f64(),
            deferral.rejection.class.as_str(),
            storable(&deferral.rejection.reason),
            parcel.trace.map(|trace| trace.trace_id()),
        )
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// Deferred events that are due, the longest first; nobody holds them yet.
pub(crate) async fn due(
    pool: &PgPool,
    consumer: &str,
    limit: i64,
) -> Result<Vec<Due>, sqlx::Error> {
    sqlx::query_as!(
        Due,
        "select id, attempts, routing_key, headers, body
         from messaging.deferred
         where consumer = $1 and next_attempt_at <= now()
         order by next_attempt_at
         limit $2",
        consumer,
        limit,
    )
    .fetch_all(pool)
    .await
}

/// Takes hold of those that are still there, still due and that no other replica holds.
pub(crate) async fn hold(tx: &mut PgTransaction<'_>, ids: &[i64]) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        "select id from messaging.deferred
         where id = any($1) and next_attempt_at <= now()
         order by id
         for update skip locked",
        ids,
    )
    .fetch_all(&mut **tx)
    .await
}

/// Puts an event off once more.
pub(crate) async fn postpone(
    tx: &mut PgTransaction<'_>,
    id: i64,
    attempts: i32,
    delay: Duration,
    rejection: &Rejection,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update messaging.deferred
         set attempts = $2, next_attempt_at = now() + make_interval(secs => $3), reason_class = $4, reason = $5
         where id = $1",
        id,
        attempts,
        delay.as_secs_f64(),
        rejection.class.as_str(),
        storable(&rejection.reason),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Deletes the rows of events that were settled or became dead letters, in that transaction.
pub(crate) async fn delete(tx: &mut PgTransaction<'_>, ids: &[i64]) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from messaging.deferred where id = any($1)", ids)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// How many events of a consumer are deferred, counted up to [`MAX_COUNTED`].
pub(crate) async fn count(
    connection: &mut PgConnection,
    consumer: &str,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!"
         from (select from messaging.deferred where consumer = $1 limit $2) as counted"#,
        consumer,
        MAX_COUNTED,
    )
    .fetch_one(connection)
    .await
}
