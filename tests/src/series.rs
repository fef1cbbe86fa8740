//! Series: keys whose events are numbered from 0, appended to an outbox as its writers do, so that a loss, a repeat or a
//! swap on the wire can be told from the events alone.

use std::{collections::HashMap, time::Duration};

use sqlx::PgPool;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::TestDatabase;

/// The types of a key's events, one after the other and from the beginning again: some follow one of their own type, which
/// may share their message, and some do not.
const KINDS: [&str; 5] = [
    "order.placed.v1",
    "order.placed.v1",
    "payment.captured.v1",
    "payment.declined.v1",
    "payment.captured.v1",
];

/// How many write at once, each in transactions of its own.
const WRITERS: usize = 4;

/// Each writer begins a transaction at most this often.
const PACE: Duration = Duration::from_millis(20);

/// How many events each key has had, by the key as text.
pub type Written = HashMap<String, u64>;

/// Keys with numbered events in one outbox.
#[derive(Debug)]
pub struct Series {
    pool: PgPool,
    keys: Vec<i32>,
    kinds: Vec<String>,
}

/// Writers at work.
#[derive(Debug)]
#[must_use]
pub struct Writing<'s> {
    series: &'s Series,
    stop: CancellationToken,
    writers: Vec<JoinHandle<()>>,
}

impl Series {
    /// So many keys, spread over the lanes, without events yet. The database has the schema `messaging`.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn open(database: &TestDatabase, keys: i32) -> Self {
        Self::of_kinds(database, keys, &KINDS).await
    }

    /// The same with other types of events.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn of_kinds(database: &TestDatabase, keys: i32, kinds: &[&str]) -> Self {
        let pool = database.admin_pool();
        // A row stands for the aggregate: whoever writes about it locks it first. The lane is any fixed function of the key.
        sqlx::raw_sql(
            "create schema if not exists series;
             create table if not exists series.key (
                 id uuid primary key default gen_random_uuid(),
                 place integer generated always as identity,
                 lane smallint not null generated always as (place % 64) stored,
                 written bigint not null default 0
             )",
        )
        .execute(&pool)
        .await
        .expect("the superuser may make tables");
        let keys = sqlx::query_scalar(
            "insert into series.key (written) select 0 from generate_series(1, $1) returning place",
        )
        .bind(keys)
        .fetch_all(&pool)
        .await
        .expect("the superuser may write");
        let kinds = kinds.iter().map(|&kind| kind.to_owned()).collect();
        Self { pool, keys, kinds }
    }

    /// The same keys in a copy of their database.
    #[must_use]
    pub fn in_database(&self, copy: &TestDatabase) -> Self {
        Self {
            pool: copy.admin_pool(),
            keys: self.keys.clone(),
            kinds: self.kinds.clone(),
        }
    }

    /// Appends so many events to every key, in one transaction.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn extend(&self, events: i64) {
        let append = Append {
            keys: self.keys.clone(),
            events,
            pause: 0.0,
            commits: true,
        };
        append
            .run(&self.pool, &self.kinds)
            .await
            .expect("the superuser may write");
    }

    /// Appends events to random keys until stopped, in transactions some of which are slow and some of which are rolled
    /// back. While the database is away, they try again.
    pub fn keep_writing(&self) -> Writing<'_> {
        let stop = CancellationToken::new();
        let writers = (0..WRITERS)
            .map(|_| {
                let (pool, keys, kinds) =
                    (self.pool.clone(), self.keys.clone(), self.kinds.clone());
                tokio::spawn(keep_writing(pool, keys, kinds, stop.clone()))
            })
            .collect();
        Writing {
            series: self,
            stop,
            writers,
        }
    }

    /// How many events each key has had.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn written(&self) -> Written {
        let rows: Vec<(String, i64)> =
            sqlx::query_as("select id::text, written from series.key where place = any($1)")
                .bind(&self.keys)
                .fetch_all(&self.pool)
                .await
                .expect("the superuser may read");
        rows.into_iter()
            .map(|(key, written)| (key, u64::try_from(written).expect("a count")))
            .collect()
    }
}

impl Writing<'_> {
    /// Ends it after what is under way, and says how many events each key has had.
    ///
    /// # Panics
    /// When a writer has panicked.
    pub async fn stop(self) -> Written {
        self.stop.cancel();
        for writer in self.writers {
            writer.await.expect("a writer ends when it is told to");
        }
        self.series.written().await
    }
}

async fn keep_writing(pool: PgPool, keys: Vec<i32>, kinds: Vec<String>, stop: CancellationToken) {
    let mut pace = tokio::time::interval(PACE);
    while stop.run_until_cancelled(pace.tick()).await.is_some() {
        let append = Append {
            keys: fastrand::choose_multiple(keys.iter().copied(), fastrand::usize(1..=8)),
            events: fastrand::i64(1..=3),
            pause: if fastrand::u8(..10) == 0 { 0.05 } else { 0.0 },
            commits: fastrand::u8(..10) != 0,
        };
        if let Err(error) = append.run(&pool, &kinds).await {
            eprintln!("a writer tries again: {error}");
        }
    }
}

/// A transaction.
struct Append {
    /// The keys' places.
    keys: Vec<i32>,
    /// Events for each of them.
    events: i64,
    /// How long it stays open, in seconds.
    pause: f64,
    commits: bool,
}

impl Append {
    async fn run(&self, pool: &PgPool, kinds: &[String]) -> sqlx::Result<()> {
        let mut tx = pool.begin().await?;
        // In one order, so that two transactions with common keys wait for each other and never in a circle.
        sqlx::query("select from series.key where place = any($1) order by place for update")
            .bind(&self.keys)
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "with moved as (
                 update series.key set written = written + $2 where place = any($1) returning id, lane, written - $2 as first
             ),
             event as (
                 select id, lane, number, gen_random_uuid() as event_id, ($3::text[])[1 + number % cardinality($3::text[])] as type
                 from moved cross join lateral generate_series(first, first + $2 - 1) as number
             )
             insert into messaging.outbox (lane, key, event_id, type, traceparent, body)
             select lane, id, event_id, type, '', convert_to(json_build_object(
                 'specversion', '1.0', 'id', event_id, 'type', type, 'source', '/series', 'subject', id,
                 'data', json_build_object('number', number)
             )::text, 'utf8')
             from event
             order by number, id",
        )
        .bind(&self.keys)
        .bind(self.events)
        .bind(kinds)
        .execute(&mut *tx)
        .await?;
        if self.pause > 0.0 {
            sqlx::query("select pg_sleep($1)")
                .bind(self.pause)
                .execute(&mut *tx)
                .await?;
        }
        if self.commits {
            tx.commit().await
        } else {
            tx.rollback().await
        }
    }
}
