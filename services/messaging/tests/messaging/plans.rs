//! The plans of the hot statements: an index range each, whatever lies beside it, and the same few buffers when there is
//! nothing to do. Each is planned while its tables are empty, as by a program that starts with a new shop, and carried out
//! when they are full.

use sqlx::{PgConnection, PgPool, pool::PoolConnection};
use tests::{
    Login, TestDatabase,
    plan::{Plan, explain, prepare, statement},
    poll_until,
};
use uuid::Uuid;

use crate::support::{DEADLINE, database};

/// A look at an outbox in which nothing is new reads no more than the tops of its partitions' indexes.
const EMPTY_POLL_BUFFERS: u64 = 60;

/// A bit for each lane.
const ALL_LANES: &str = "-1";

/// A role's connection that has planned the statement with these parts in an empty database.
async fn planned(
    db: &TestDatabase,
    login: Login,
    parts: &[&str],
) -> PoolConnection<sqlx::Postgres> {
    let mut connection = db.pool(login).acquire().await.unwrap();
    let statement = statement(env!("CARGO_MANIFEST_DIR"), parts);
    prepare(&mut connection, "hot", &statement).await;
    connection
}

async fn run(connection: &mut PgConnection, values: &[&str]) -> Plan {
    explain(connection, "hot", values).await
}

async fn execute(admin: &PgPool, sql: &'static str) {
    sqlx::raw_sql(sql).execute(admin).await.unwrap();
}

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

/// 30,000 events settled within the last minutes.
async fn fill_inbox(admin: &PgPool) {
    execute(
        admin,
        "insert into messaging.inbox (message_id, consumer, digest)
         select (lpad(to_hex((extract(epoch from now()) * 1000)::bigint - n * 10), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,
                'payment.orders.v1', '\\x01'
         from generate_series(1, 30000) as n",
    )
    .await;
}

#[tokio::test]
async fn entering_the_inbox_meets_duplicates_in_its_primary_key() {
    let db = database().await;
    let admin = db.admin_pool();
    let mut writer = planned(
        &db,
        Login::Writer,
        &["insert into messaging.inbox", "$2::uuid[]"],
    )
    .await;
    fill_inbox(&admin).await;
    let known: String = sqlx::query_scalar("select max(message_id::text) from messaging.inbox")
        .fetch_one(&admin)
        .await
        .unwrap();
    let ids = format!("{{{known},{}}}", Uuid::now_v7());
    let plan = run(
        &mut writer,
        &["payment.orders.v1", &ids, "{\"\\\\x01\",\"\\\\x02\"}"],
    )
    .await;
    for part in ["Conflict Arbiter Indexes: inbox", "Conflicting Tuples: 1"] {
        assert!(plan.0.contains(part), "{}", plan.0);
    }
    plan.assert_scans_no_table();
    assert!(!plan.0.contains("Trigger"), "{}", plan.0);
}

#[tokio::test]
async fn stored_digests_are_read_by_the_inboxes_primary_key() {
    let db = database().await;
    let admin = db.admin_pool();
    let stored = &["select message_id, digest from messaging.inbox"];
    let mut writer = planned(&db, Login::Writer, stored).await;
    fill_inbox(&admin).await;
    let ids: String = sqlx::query_scalar(
        "select array_agg(message_id)::text from (select message_id from messaging.inbox order by random() limit 100) as stored",
    )
    .fetch_one(&admin)
    .await
    .unwrap();
    let plan = run(&mut writer, &["payment.orders.v1", &ids]).await;
    plan.assert_reads_by("_pkey");
}

/// 30,000 keys of 300 users.
async fn fill_keys(admin: &PgPool) {
    execute(
        admin,
        "insert into messaging.idempotency_key (user_id, key, request_digest, resource_id)
         select 1 + n % 300, 'key ' || n, '\\x01', gen_random_uuid() from generate_series(1, 30000) as n",
    )
    .await;
}

#[tokio::test]
async fn claiming_a_key_meets_its_twin_in_the_primary_key() {
    let db = database().await;
    let admin = db.admin_pool();
    let mut writer = planned(
        &db,
        Login::Writer,
        &["insert into messaging.idempotency_key"],
    )
    .await;
    fill_keys(&admin).await;
    let ids = format!("{{{},{}}}", Uuid::now_v7(), Uuid::now_v7());
    let plan = run(
        &mut writer,
        &["{1,2}", "{key 300,new}", "{\"\\\\x01\",\"\\\\x02\"}", &ids],
    )
    .await;
    for part in [
        "Conflict Arbiter Indexes: idempotency_key_pkey",
        "Conflicting Tuples: 1",
    ] {
        assert!(plan.0.contains(part), "{}", plan.0);
    }
    plan.assert_scans_no_table();
    assert!(!plan.0.contains("Trigger"), "{}", plan.0);
}

#[tokio::test]
async fn what_a_taken_key_stands_for_is_read_by_the_primary_key() {
    let db = database().await;
    let admin = db.admin_pool();
    let stored = &["from messaging.idempotency_key", "as taken"];
    let mut writer = planned(&db, Login::Writer, stored).await;
    fill_keys(&admin).await;
    let plan = run(&mut writer, &["{1,2}", "{key 300,key 301}"]).await;
    plan.assert_reads_by("idempotency_key_pkey");
    assert!(plan.0.contains("rows=2 "), "{}", plan.0);
}

/// The statements that a relay repeats every second and every half second.
#[tokio::test]
async fn renewals_and_write_backs_find_lanes_by_their_key_and_do_not_become_dearer() {
    let db = database().await;
    let mut relay = db.pool(Login::Relay).acquire().await.unwrap();
    let crate_folder = env!("CARGO_MANIFEST_DIR");
    let taking = statement(
        crate_folder,
        &["update messaging.lane", "for update skip locked"],
    );
    prepare(&mut relay, "taking", &taking).await;
    let renewal = statement(
        crate_folder,
        &["set lease_until = now() + make_interval(secs => $4)\n"],
    );
    prepare(&mut relay, "renewal", &renewal).await;
    let write_back = statement(crate_folder, &["set settled = $4::text::pg_snapshot"]);
    prepare(&mut relay, "write_back", &write_back).await;
    let taking = explain(
        &mut relay,
        "taking",
        &["one", "64", "3", "1:1:", "{}", "fence", "{}"],
    )
    .await;
    taking.assert_scans_no_table();
    let lanes = format!(
        "{{{}}}",
        (0..64)
            .map(|it| it.to_string())
            .collect::<Vec<_>>()
            .join(",")
    );
    let epochs = format!("{{{}}}", ["1"; 64].join(","));
    let settled = ["one", &lanes, &epochs, "7:9:7", "5", "7:12:7", "8"];
    let renewed = ["one", &lanes, &epochs, "3"];
    let first = explain(&mut relay, "renewal", &renewed).await;
    first.assert_scans_no_table();
    for _ in 0..300 {
        explain(&mut relay, "write_back", &settled)
            .await
            .assert_scans_no_table();
        explain(&mut relay, "renewal", &renewed).await;
    }
    // A long transaction anywhere on the server keeps old versions for a while.
    poll_until(
        "a renewal costs what the first one did",
        DEADLINE,
        async || {
            let last = explain(&mut relay, "renewal", &renewed).await;
            (last.buffers() <= 2 * first.buffers()).then_some(())
        },
    )
    .await;
}
