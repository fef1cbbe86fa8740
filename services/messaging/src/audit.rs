//! What an audit reads of the schema `messaging`: where a message is on its way, and the snapshot all is read under.

use sqlx::{Connection, PgConnection, PgTransaction};
use time::OffsetDateTime;
use uuid::Uuid;

/// All reads of a transaction see one snapshot, and none of them can write.
const BEGIN: &str = "begin isolation level repeatable read read only";

/// Begins the transaction of an audit and fixes its snapshot; says what time it is for the database.
pub async fn begin(
    connection: &mut PgConnection,
) -> Result<(PgTransaction<'_>, OffsetDateTime), sqlx::Error> {
    let mut tx = connection.begin_with(BEGIN).await?;
    // The first statement, and not `begin`, takes the snapshot: without one it would be taken at some later time.
    let now = sqlx::query_scalar!(r#"select clock_timestamp() as "now!""#)
        .fetch_one(&mut *tx)
        .await?;
    Ok((tx, now))
}

/// One thing that breaks a promise, as a set-based check reads it, and how many such things there are in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is about, for people: `order 0193…`.
    pub subject: String,
    /// What is wrong with it, for people.
    pub detail: String,
    /// How many findings the check has, those beyond its limit included.
    pub total: i64,
}

/// The last event of some types about a key, as the outbox holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// What it is about.
    pub key: Uuid,
    /// Its identity.
    pub event_id: Uuid,
    /// Whether its lane's cursor is past it, so that the broker has confirmed it. The cursor is written back with a
    /// delay: false may also mean "a moment ago".
    pub published: bool,
    /// Why it can never be sent, if it is parked.
    pub parked: Option<String>,
}

/// What waits in an outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Events that their lanes' cursors are not past.
    pub unpublished: i64,
    /// Events that can never be sent.
    pub parked: i64,
}

/// What became of an event that reached its consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// It was settled.
    Settled,
    /// It waits to be tried again, for this class of reasons.
    Deferred(String),
    /// It is a dead letter, for this class of reasons.
    Dead(String),
}

/// The last event of these types about each of these keys, where the outbox still has one or it is parked. Reads the
/// whole outbox, which has no index on keys: ask for many keys at once.
pub async fn last_sent(
    connection: &mut PgConnection,
    types: &[&str],
    keys: &[Uuid],
) -> Result<Vec<Sent>, sqlx::Error> {
    sqlx::query_as!(
        Sent,
        r#"select distinct on (key) key as "key!", event_id as "event_id!", published as "published!", parked
        from (
            select key, event_id, outbox.id, pg_visible_in_snapshot(outbox.xid, lane.settled) as published,
                   null as parked
            from messaging.outbox join messaging.lane using (lane)
            where outbox.key = any($1) and outbox.type = any($2)
            union all
            select key, event_id, outbox_id, false, reason
            from messaging.parked
            where key = any($1) and type = any($2)
        ) as sent
        order by key, id desc, parked nulls last"#,
        keys,
        types as &[&str],
    )
    .fetch_all(connection)
    .await
}

/// Events of these types that the cursor of their lane is past, although they were neither published nor parked: lost,
/// unless something asks for them again. What was published is written down before the cursor moves, and is kept for
/// longer than the outbox; of what is older than the publish log nothing is said.
pub async fn passed_over(
    connection: &mut PgConnection,
    types: &[&str],
    limit: i64,
) -> Result<Vec<Finding>, sqlx::Error> {
    // The start of the oldest partition and some minutes, because relays have clocks of their own.
    sqlx::query_as!(
        Finding,
        r#"select 'order ' || event.key as "subject!",
               'the relays are past event ' || event.event_id || ' and have neither published nor parked it' as "detail!",
               count(*) over () as "total!"
        from messaging.outbox as event join messaging.lane using (lane)
        where event.type = any($1)
          and pg_visible_in_snapshot(event.xid, lane.settled)
          and event.appended_at > (
              select to_timestamp(min(right(partition.relname, 8)), 'YYYYMMDD')::timestamp at time zone 'utc'
                     + interval '10 minutes'
              from pg_inherits join pg_class as partition on partition.oid = inhrelid
              where inhparent = 'messaging.publish_log'::regclass
          )
          and not exists (select from messaging.parked where parked.outbox_id = event.id)
          and not exists (
              select from messaging.publish_log, unnest(publish_log.event_ids) as published (event_id)
              where published.event_id = event.event_id
          )
        order by event.id
        limit $2"#,
        types as &[&str],
        limit,
    )
    .fetch_all(connection)
    .await
}

/// How much waits in the outbox.
pub async fn waiting(connection: &mut PgConnection) -> Result<Waiting, sqlx::Error> {
    sqlx::query_as!(
        Waiting,
        r#"select (
                   select count(*) from messaging.outbox join messaging.lane using (lane)
                   where not pg_visible_in_snapshot(outbox.xid, lane.settled)
               ) as "unpublished!",
               (select count(*) from messaging.parked) as "parked!""#
    )
    .fetch_one(connection)
    .await
}

/// What became of those of these events that reached the consumer.
pub async fn arrivals(
    connection: &mut PgConnection,
    consumer: &str,
    event_ids: &[Uuid],
) -> Result<Vec<(Uuid, Arrival)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select asked.event_id as "event_id!", dead.reason_class as "dead?", deferred.reason_class as "deferred?",
               exists (
                   select from messaging.inbox where message_id = asked.event_id and consumer = $1
               ) as "settled!"
        from unnest($2::uuid[]) as asked (event_id)
        left join lateral (
            select reason_class from messaging.dead_letter
            where consumer = $1 and message_id = asked.event_id
            limit 1
        ) as dead on true
        left join lateral (
            select reason_class from messaging.deferred
            where consumer = $1 and message_id = asked.event_id
            limit 1
        ) as deferred on true"#,
        consumer,
        event_ids,
    )
    .fetch_all(connection)
    .await?;
    // A letter's inbox row is written with it, so the row alone does not say that the event was settled.
    let arrivals = rows.into_iter().filter_map(|row| {
        let arrival = match (row.dead, row.deferred, row.settled) {
            (Some(class), _, _) => Arrival::Dead(class),
            (None, Some(class), _) => Arrival::Deferred(class),
            (None, None, true) => Arrival::Settled,
            (None, None, false) => return None,
        };
        Some((row.event_id, arrival))
    });
    Ok(arrivals.collect())
}
