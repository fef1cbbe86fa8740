//! The outbox: appended to, read on by relays, and looked at for how far behind it is.

use std::ops::Range;

use messaging::outbox::{Unpublished, unpublished};
use sqlx::{PgConnection, PgPool};
use tests::{
    Login,
    plan::{Plan, run},
};
use uuid::Uuid;

use super::{execute, planned};
use crate::support::database;

/// A look at an outbox in which nothing is new reads no more than the tops of its partitions' indexes.
const EMPTY_POLL_BUFFERS: u64 = 60;

/// A bit for each lane.
const ALL_LANES: &str = "-1";

/// 30,000 events in 100 transactions.
async fn fill_outbox(admin: &PgPool) {
    execute(
        admin,
        "do $$
        begin
            for batch in 1..100 loop
                insert into messaging.outbox (lane, key, event_id, type, traceparent, body)
                select n % 64, gen_random_uuid(), gen_random_uuid(), 'order.placed.v1', '', convert_to(repeat('x', 300), 'utf8')
                from generate_series(1, 300) as n;
                commit;
            end loop;
        end $$",
    )
    .await;
}

/// The present as a reader's position, in the parts that statements take.
async fn present(admin: &PgPool) -> (String, String, String) {
    sqlx::query_as(
        "select pg_snapshot_xmax(pg_current_snapshot())::text,
                array(select pg_snapshot_xip(pg_current_snapshot()))::text,
                pg_current_snapshot()::text",
    )
    .fetch_one(admin)
    .await
    .unwrap()
}

const READ_WHOLE: &[&str] = &["fresh as materialized"];

#[tokio::test]
async fn a_look_at_an_outbox_without_news_costs_the_same_however_full_it_is() {
    let db = database().await;
    let admin = db.admin_pool();
    let mut relay = planned(&db, Login::Relay, READ_WHOLE).await;
    // Somebody's snapshot is held all the while, so nothing can be cleared away behind it.
    let mut held = admin.begin().await.unwrap();
    sqlx::raw_sql("set transaction isolation level repeatable read; select 1")
        .execute(&mut *held)
        .await
        .unwrap();
    fill_outbox(&admin).await;
    let (xmax, running, _) = present(&admin).await;
    let empty = run(&mut relay, &[ALL_LANES, &xmax, &running, "2000"]).await;
    empty.assert_reads_by("_xid_idx");
    assert!(empty.buffers() < EMPTY_POLL_BUFFERS, "{}", empty.0);
    fill_outbox(&admin).await;
    let (xmax, running, _) = present(&admin).await;
    let later = run(&mut relay, &[ALL_LANES, &xmax, &running, "2000"]).await;
    assert!(later.buffers() < EMPTY_POLL_BUFFERS, "{}", later.0);
}

#[tokio::test]
async fn what_is_new_in_the_outbox_is_read_by_the_index_on_xid() {
    let db = database().await;
    let admin = db.admin_pool();
    let mut relay = planned(&db, Login::Relay, READ_WHOLE).await;
    fill_outbox(&admin).await;
    let running: String =
        sqlx::query_scalar("select array[max(xid::text::bigint)]::text from messaging.outbox")
            .fetch_one(&admin)
            .await
            .unwrap();
    let (xmax, ..) = present(&admin).await;
    execute(
        &admin,
        "insert into messaging.outbox (lane, key, event_id, type, traceparent, body)
         select n, gen_random_uuid(), gen_random_uuid(), 'order.placed.v1', '', '' from generate_series(1, 50) as n",
    )
    .await;
    let plan = run(&mut relay, &[ALL_LANES, &xmax, &running, "2000"]).await;
    plan.assert_reads_by("_xid_idx");
    // The new ones, and those of the transaction that is said to have been running.
    assert!(plan.0.contains("rows=350 "), "{}", plan.0);
    assert!(plan.buffers() < 3 * EMPTY_POLL_BUFFERS, "{}", plan.0);
}

#[tokio::test]
async fn a_page_of_a_large_difference_is_a_range_of_ids() {
    let db = database().await;
    let admin = db.admin_pool();
    let page = &["id > $2", "pg_visible_in_snapshot(xid, $5"];
    let mut relay = planned(&db, Login::Relay, page).await;
    fill_outbox(&admin).await;
    let (_, _, until) = present(&admin).await;
    let plan = run(
        &mut relay,
        &[ALL_LANES, "20000", "1", "{}", &until, "2000", "30000"],
    )
    .await;
    plan.assert_reads_by("_pkey");
    assert!(plan.0.contains("rows=2000 "), "{}", plan.0);
    // 2,000 rows of 400 bytes fill 100 pages of 8 KiB.
    assert!(plan.buffers() < 400, "{}", plan.0);
}

#[tokio::test]
async fn where_a_large_difference_begins_and_ends_are_the_ends_of_an_index() {
    let db = database().await;
    let admin = db.admin_pool();
    let mut relay = planned(&db, Login::Relay, &["min(id) as first_id"]).await;
    fill_outbox(&admin).await;
    let plan = run(&mut relay, &[]).await;
    plan.assert_reads_by("_pkey");
    assert!(plan.buffers() < EMPTY_POLL_BUFFERS, "{}", plan.0);
}

#[tokio::test]
async fn the_mark_of_the_present_moment_is_the_end_of_an_index() {
    let db = database().await;
    let admin = db.admin_pool();
    let mut relay = planned(&db, Login::Relay, &["max(id) as largest_id"]).await;
    fill_outbox(&admin).await;
    let plan = run(&mut relay, &[]).await;
    plan.assert_reads_by("_pkey");
    assert!(plan.buffers() < EMPTY_POLL_BUFFERS, "{}", plan.0);
}

#[tokio::test]
async fn appending_reads_no_table_and_fires_no_trigger() {
    let db = database().await;
    let admin = db.admin_pool();
    let mut writer = planned(&db, Login::Writer, &["insert into messaging.outbox"]).await;
    fill_outbox(&admin).await;
    let (one, other) = (Uuid::now_v7().to_string(), Uuid::now_v7().to_string());
    let ids = format!("{{{one},{other}}}");
    let texts = "{order.placed.v1,order.placed.v1}";
    let plan = run(
        &mut writer,
        &[
            "{1,2}",
            &ids,
            &ids,
            texts,
            texts,
            "{\"\\\\x01\",\"\\\\x02\"}",
        ],
    )
    .await;
    for never in ["Scan using", "Seq Scan", "Bitmap", "Trigger"] {
        assert!(!plan.0.contains(never), "{}", plan.0);
    }
}

/// Has lanes settled all there is.
async fn settle(admin: &PgPool, lanes: Range<i16>) {
    sqlx::query(
        "update messaging.lane set settled = pg_current_snapshot() where lane >= $1 and lane < $2",
    )
    .bind(lanes.start)
    .bind(lanes.end)
    .execute(admin)
    .await
    .unwrap();
}

/// Looks for the oldest event that is not settled, as often as the intake of every replica does.
async fn look(writer: &mut PgConnection) -> (Plan, Unpublished) {
    let plan = run(writer, &[]).await;
    assert!(plan.0.contains("_xid_idx"), "{}", plan.0);
    // The lanes are read whole, all 64 of them; the outbox never is.
    plan.assert_never_scans("outbox");
    (plan, unpublished(writer).await.unwrap())
}

#[tokio::test]
async fn the_oldest_unpublished_event_is_one_look_into_an_index_whatever_waits() {
    let db = database().await;
    let admin = db.admin_pool();
    let mut writer = planned(&db, Login::Writer, &["place as materialized"]).await;
    fill_outbox(&admin).await;
    let (whole_backlog, oldest) = look(&mut writer).await;
    assert!(oldest.oldest.is_some());
    settle(&admin, 0..63).await;
    let (one_lane_lags, oldest) = look(&mut writer).await;
    assert!(oldest.oldest.is_some());
    settle(&admin, 0..64).await;
    let (all_settled, oldest) = look(&mut writer).await;
    assert_eq!(oldest.oldest, None);
    for plan in [&whole_backlog, &all_settled] {
        assert!(plan.buffers() < EMPTY_POLL_BUFFERS, "{}", plan.0);
    }
    // A look for each of two places.
    assert!(
        one_lane_lags.buffers() < 2 * EMPTY_POLL_BUFFERS,
        "{}",
        one_lane_lags.0
    );
}

#[tokio::test]
async fn an_unpublished_event_that_committed_late_is_one_look_into_an_index() {
    let db = database().await;
    let admin = db.admin_pool();
    let mut writer = planned(&db, Login::Writer, &["place as materialized"]).await;
    fill_outbox(&admin).await;
    let mut late = admin.begin().await.unwrap();
    sqlx::query(
        "insert into messaging.outbox (lane, key, event_id, type, traceparent, body)
         values (7, gen_random_uuid(), gen_random_uuid(), 'order.placed.v1', '', '')",
    )
    .execute(&mut *late)
    .await
    .unwrap();
    // A snapshot tells of a transaction that runs only where a later one has ended.
    for _ in 0..2 {
        settle(&admin, 0..64).await;
    }
    late.commit().await.unwrap();
    let (plan, oldest) = look(&mut writer).await;
    assert!(oldest.oldest.is_some());
    assert!(plan.buffers() < 2 * EMPTY_POLL_BUFFERS, "{}", plan.0);
}
