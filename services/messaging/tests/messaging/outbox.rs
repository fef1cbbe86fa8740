//! The outbox: nothing missed, nothing twice, in the order of commits along each key.

use contracts::TraceContext;
use messaging::{
    lane::LANES,
    outbox::{
        Difference, Position, append, append_all, maintain_partitions, read_page, read_since,
    },
};
use sqlx::PgPool;
use tests::Login;

use crate::support::{database, placed};

fn all_lanes() -> Vec<i16> {
    (0..i16::try_from(LANES).unwrap()).collect()
}

async fn append_one(pool: &PgPool) {
    let mut tx = pool.begin().await.unwrap();
    append(&mut tx, &placed(100), &TraceContext::root())
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// Where a reader stands that has read a difference.
fn after(difference: &Difference) -> Position {
    Position {
        snapshot: difference.snapshot.clone(),
        id: 0,
    }
}

#[tokio::test]
async fn a_late_committing_transaction_is_not_skipped() {
    let db = database().await;
    let (writer, relay) = (db.pool(Login::Writer), db.pool(Login::Relay));
    let mut connection = relay.acquire().await.unwrap();
    let mut late = writer.begin().await.unwrap();
    append(&mut late, &placed(1), &TraceContext::root())
        .await
        .unwrap();
    append_one(&writer).await;
    let first = read_since(
        &mut connection,
        &all_lanes(),
        &Position::beginning(),
        None,
        100,
    )
    .await
    .unwrap();
    assert_eq!(first.rows.len(), 1);
    late.commit().await.unwrap();
    append_one(&writer).await;
    let second = read_since(&mut connection, &all_lanes(), &after(&first), None, 100)
        .await
        .unwrap();
    assert_eq!(second.rows.len(), 2);
    assert!(
        second.rows[0].id < first.rows[0].id,
        "the late row has the lower id"
    );
    let third = read_since(&mut connection, &all_lanes(), &after(&second), None, 100)
        .await
        .unwrap();
    assert!(third.rows.is_empty());
}

#[tokio::test]
async fn what_is_rolled_back_is_never_read() {
    let db = database().await;
    let (writer, relay) = (db.pool(Login::Writer), db.pool(Login::Relay));
    let mut tx = writer.begin().await.unwrap();
    append(&mut tx, &placed(1), &TraceContext::root())
        .await
        .unwrap();
    tx.rollback().await.unwrap();
    let mut connection = relay.acquire().await.unwrap();
    let read = read_since(
        &mut connection,
        &all_lanes(),
        &Position::beginning(),
        None,
        100,
    )
    .await
    .unwrap();
    assert!(read.rows.is_empty());
}

#[tokio::test]
async fn a_large_difference_is_paged_up_to_its_snapshot_and_no_further() {
    let db = database().await;
    let (writer, relay) = (db.pool(Login::Writer), db.pool(Login::Relay));
    let messages: Vec<_> = (1..=25)
        .map(|amount| (placed(amount), TraceContext::root()))
        .collect();
    let mut tx = writer.begin().await.unwrap();
    append_all(&mut tx, &messages).await.unwrap();
    tx.commit().await.unwrap();
    let mut connection = relay.acquire().await.unwrap();
    let beginning = Position::beginning();
    let first = read_since(&mut connection, &all_lanes(), &beginning, None, 10)
        .await
        .unwrap();
    append_one(&writer).await;
    let mut ids: Vec<i64> = first.rows.iter().map(|row| row.id).collect();
    let mut more = first.more;
    while let Some(span) = more {
        let (page, left) = read_page(
            &mut connection,
            &all_lanes(),
            &beginning,
            &first.snapshot,
            span,
            10,
        )
        .await
        .unwrap();
        ids.extend(page.iter().map(|row| row.id));
        more = left;
    }
    assert_eq!(ids.len(), 25, "the later row is not part of the difference");
    assert!(ids.is_sorted());
    let next = read_since(&mut connection, &all_lanes(), &after(&first), None, 10)
        .await
        .unwrap();
    assert_eq!(next.rows.len(), 1);
}

#[tokio::test]
async fn what_commits_between_two_pages_is_left_to_the_next_difference() {
    let db = database().await;
    let (writer, relay) = (db.pool(Login::Writer), db.pool(Login::Relay));
    append_one(&writer).await;
    let mut late = writer.begin().await.unwrap();
    append(&mut late, &placed(1), &TraceContext::root())
        .await
        .unwrap();
    for _ in 0..25 {
        append_one(&writer).await;
    }
    let mut connection = relay.acquire().await.unwrap();
    let (lanes, beginning) = (all_lanes(), Position::beginning());
    let first = read_since(&mut connection, &lanes, &beginning, None, 10)
        .await
        .unwrap();
    // Its id is among those to be paged.
    late.commit().await.unwrap();
    let mut paged = 0;
    let mut more = first.more;
    while let Some(span) = more {
        let page = read_page(
            &mut connection,
            &lanes,
            &beginning,
            &first.snapshot,
            span,
            10,
        );
        let (rows, left) = page.await.unwrap();
        paged += rows.len();
        more = left;
    }
    assert_eq!(paged, 26);
    let next = read_since(&mut connection, &lanes, &after(&first), None, 10)
        .await
        .unwrap();
    assert_eq!(next.rows.len(), 1);
}

#[tokio::test]
async fn many_writers_with_late_commits_and_rollbacks_lose_and_repeat_nothing() {
    let db = database().await;
    let writers: Vec<_> = (0..4_u32)
        .map(|writer| {
            let pool = db.pool(Login::Writer);
            tokio::spawn(async move {
                let mut committed = 0;
                for round in 0..60_u32 {
                    let mut tx = pool.begin().await.unwrap();
                    append(&mut tx, &placed(1), &TraceContext::root())
                        .await
                        .unwrap();
                    sqlx::query("select pg_sleep($1)")
                        .bind(f64::from((round * 7 + writer * 3) % 11) / 1000.0)
                        .execute(&mut *tx)
                        .await
                        .unwrap();
                    if round % 5 == 0 {
                        tx.rollback().await.unwrap();
                    } else {
                        tx.commit().await.unwrap();
                        committed += 1;
                    }
                }
                committed
            })
        })
        .collect();
    let relay = db.pool(Login::Relay);
    let mut connection = relay.acquire().await.unwrap();
    let mut ids = Vec::new();
    let mut since = Position::beginning();
    let mut read = async |ids: &mut Vec<i64>| {
        let difference = read_since(&mut connection, &all_lanes(), &since, None, 10_000)
            .await
            .unwrap();
        ids.extend(difference.rows.iter().map(|row| row.id));
        since = after(&difference);
    };
    while writers.iter().any(|writer| !writer.is_finished()) {
        read(&mut ids).await;
    }
    let mut committed = 0;
    for writer in writers {
        committed += writer.await.unwrap();
    }
    read(&mut ids).await;
    let read_rows = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((read_rows, ids.len()), (committed, committed));
}

#[tokio::test]
async fn partitions_are_made_a_week_ahead_and_only_once() {
    let db = database().await;
    let relay = db.pool(Login::Relay);
    let mut connection = relay.acquire().await.unwrap();
    assert_eq!(
        maintain_partitions(&mut connection).await.unwrap(),
        0,
        "the migration made them"
    );
    let admin = db.admin_pool();
    sqlx::raw_sql(
        "do $$ begin
            execute format('drop table messaging.outbox_%s', to_char((now() at time zone 'utc')::date + 7, 'YYYYMMDD'));
            execute format('drop table messaging.inbox_%s', to_char((now() at time zone 'utc')::date + 7, 'YYYYMMDD'));
        end $$",
    )
    .execute(&admin)
    .await
    .unwrap();
    assert_eq!(maintain_partitions(&mut connection).await.unwrap(), 2);
}
