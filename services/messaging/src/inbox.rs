//! The transactional inbox: which events came already, decided in the transaction that settles.
//!
//! Deferred events and dead letters have their inbox row too, written with them: such an event is executed from its own
//! row and nowhere else, and what the broker delivers again is a duplicate.

use std::collections::HashMap;

use sqlx::{PgPool, PgTransaction};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// How far ahead of our clock the instant in an event id may be.
pub const CLOCK_SKEW: Duration = Duration::minutes(5);

/// What the inbox says of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Never seen: settle it.
    Fresh,
    /// Settled before with the same contents, or kept in a row of its own: nothing to do.
    Duplicate,
    /// The id came before, with other contents.
    Conflict,
}

/// Enters events, and says of each, in their order, whether it is new. A concurrent consumer that holds the same event
/// makes this wait until it commits.
pub(crate) async fn enter(
    tx: &mut PgTransaction<'_>,
    consumer: &str,
    events: &[(Uuid, [u8; 32])],
) -> Result<Vec<Verdict>, sqlx::Error> {
    // Sorted, so that two consumers with common events wait for each other in one order and never in a circle.
    let mut sorted: Vec<&(Uuid, [u8; 32])> = events.iter().collect();
    sorted.sort_unstable();
    let ids: Vec<Uuid> = sorted.iter().map(|(id, _)| *id).collect();
    let digests: Vec<&[u8]> = sorted.iter().map(|(_, digest)| &digest[..]).collect();
    let entered = sqlx::query_scalar!(
        "insert into messaging.inbox (message_id, consumer, digest)
         select id, $1, digest from unnest($2::uuid[], $3::bytea[]) as event (id, digest)
         order by id
         on conflict (message_id, consumer) do nothing
         returning message_id",
        consumer,
        &ids,
        &digests as &[&[u8]],
    )
    .fetch_all(&mut **tx)
    .await?;
    if entered.len() == events.len() {
        return Ok(vec![Verdict::Fresh; events.len()]);
    }
    let mut fresh: HashMap<Uuid, bool> = entered.into_iter().map(|id| (id, true)).collect();
    let stored: HashMap<Uuid, Vec<u8>> = sqlx::query!(
        "select message_id, digest from messaging.inbox where consumer = $1 and message_id = any($2)",
        consumer,
        &ids
    )
    .fetch_all(&mut **tx)
    .await?
    .into_iter()
    .map(|row| (row.message_id, row.digest))
    .collect();
    // The first of equal ids in the batch is the fresh one, unless the database kept the contents of another.
    Ok(events
        .iter()
        .map(|(id, digest)| {
            let same = stored.get(id).is_none_or(|stored| stored == digest);
            match fresh.get_mut(id) {
                Some(first) if *first && same => {
                    *first = false;
                    Verdict::Fresh
                }
                _ if same => Verdict::Duplicate,
                _ => Verdict::Conflict,
            }
        })
        .collect())
}

/// Writes down that events came again, for whoever follows them. The last thing in its transaction: whoever waits for
/// one of these rows holds nothing that its writer still needs.
pub(crate) async fn note_duplicates(
    tx: &mut PgTransaction<'_>,
    consumer: &str,
    events: &[Uuid],
) -> Result<(), sqlx::Error> {
    if events.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into messaging.duplicate (message_id, consumer, times)
         select id, $1, count(*) from unnest($2::uuid[]) as event (id)
         group by id
         order by id
         on conflict (message_id, consumer)
             do update set times = duplicate.times + excluded.times, last_seen_at = excluded.last_seen_at",
        consumer,
        events,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The oldest instant an event id may carry: ids older than the inbox's partitions are never executed.
pub(crate) async fn horizon(pool: &PgPool) -> Result<OffsetDateTime, sqlx::Error> {
    sqlx::query_scalar!(r#"select messaging.inbox_horizon() as "horizon!""#)
        .fetch_one(pool)
        .await
}
