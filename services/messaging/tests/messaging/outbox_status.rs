//! The outbox as an operator sees it: exact where little waits, and cheap where much was published.

use std::path::Path;

use contracts::TraceContext;
use messaging::outbox::{PENDING_ROWS_MAX, append_all, status};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool};
use tests::{Login, TestDatabase};

use crate::support::{database, placed};

async fn append(writer: &PgPool, count: i64) {
    let messages: Vec<_> = (1..=count)
        .map(|amount| (placed(amount), TraceContext::root()))
        .collect();
    let mut tx = writer.begin().await.unwrap();
    append_all(&mut tx, &messages).await.unwrap();
    tx.commit().await.unwrap();
}

/// What a relay does when all is published.
async fn settle(db: &TestDatabase, lanes: &str) {
    let statement = format!(
        "update messaging.lane set settled = pg_current_snapshot() where lane in ({lanes})"
    );
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&db.admin_pool())
        .await
        .unwrap();
}

#[tokio::test]
async fn the_status_counts_what_is_committed_and_not_settled_lane_by_lane() {
    let db = database().await;
    let writer = db.pool(Login::Writer);
    append(&writer, 200).await;
    settle(&db, "select lane from messaging.lane where lane < 32").await;
    let mut open = writer.begin().await.unwrap();
    append_all(&mut open, &[(placed(1), TraceContext::root())])
        .await
        .unwrap();
    append(&writer, 100).await;

    let mut connection = writer.acquire().await.unwrap();
    let seen = status(&mut connection).await.unwrap();
    let expected: Vec<(i16, i64)> = sqlx::query_as(
        "select lane.lane, count(outbox.id) from messaging.lane left join messaging.outbox
             on outbox.lane = lane.lane and not pg_visible_in_snapshot(xid, settled)
         group by lane.lane order by lane.lane",
    )
    .fetch_all(&db.admin_pool())
    .await
    .unwrap();
    let counted: Vec<_> = seen
        .lanes
        .iter()
        .map(|lane| (lane.lane, lane.pending))
        .collect();
    assert_eq!(counted, expected);
    assert!((100..300).contains(&seen.pending()), "{}", seen.pending());
    assert!(!seen.capped);
    assert!(seen.oldest().is_some_and(|oldest| oldest <= seen.now));
    assert_eq!(seen.partition_days_ahead, Some(7));
    open.rollback().await.unwrap();

    settle(&db, "select lane from messaging.lane").await;
    let quiet = status(&mut connection).await.unwrap();
    assert_eq!((quiet.pending(), quiet.oldest()), (0, None));
}

#[tokio::test]
async fn the_status_says_who_owns_what_and_who_lives() {
    let db = database().await;
    sqlx::raw_sql(
        "insert into messaging.relay (name, heartbeat, published, broker, told_at)
         values ('orders-a', now(), 12, 'blocked', now()), ('orders-b', now(), 0, null, null),
                ('waiting', now() - interval '2 hours', 0, 'away', now()),
                ('gone', now() - interval '2 hours', 7, 'ok', now() - interval '2 hours');
         update messaging.lane
         set owner = 'orders-a', lease_until = now() + interval '3 seconds', epoch = 5
         where lane = 7",
    )
    .execute(&db.admin_pool())
    .await
    .unwrap();
    let writer = db.pool(Login::Writer);
    let seen = status(&mut writer.acquire().await.unwrap()).await.unwrap();
    let names: Vec<_> = seen
        .relays
        .iter()
        .map(|relay| relay.name.as_str())
        .collect();
    assert_eq!(names, ["orders-a", "orders-b", "waiting"]);
    let told: Vec<_> = seen
        .relays
        .iter()
        .map(|relay| (relay.published, relay.broker.as_deref()))
        .collect();
    assert_eq!(told, [(12, Some("blocked")), (0, None), (0, Some("away"))]);
    let lane = &seen.lanes[7];
    assert_eq!(
        (lane.lane, lane.epoch, lane.owner.as_deref()),
        (7, 5, Some("orders-a"))
    );
    assert!(lane.lease_until.is_some_and(|until| until > seen.now));
    assert_eq!(seen.lanes[8].owner, None);
}

/// The text the program was compiled with.
fn statement() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".sqlx");
    let texts = std::fs::read_dir(folder).unwrap().map(|file| {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let checked: Value = serde_json::from_str(&text).unwrap();
        checked["query"].as_str().unwrap().to_owned()
    });
    let mut found: Vec<_> = texts.filter(|text| text.contains("waiting as (")).collect();
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

#[tokio::test]
async fn the_status_reads_what_waits_by_the_index_and_never_the_whole_outbox() {
    let db = database().await;
    let admin = db.admin_pool();
    // A transaction that stays open, as one always does somewhere on a busy server, must not make it look further back.
    let mut open = admin.begin().await.unwrap();
    sqlx::query("select pg_current_xact_id()")
        .execute(&mut *open)
        .await
        .unwrap();
    sqlx::raw_sql(
        "do $$ begin for batch in 1..50 loop
             insert into messaging.outbox (lane, key, event_id, type, traceparent, body)
             select i % 64, gen_random_uuid(), gen_random_uuid(), 'x', 'x', 'x' from generate_series(1, 1000) as i;
             commit;
         end loop; end $$",
    )
    .execute(&admin)
    .await
    .unwrap();
    settle(&db, "select lane from messaging.lane").await;
    append(&db.pool(Login::Writer), 20).await;
    open.rollback().await.unwrap();
    sqlx::raw_sql("analyze messaging.outbox")
        .execute(&admin)
        .await
        .unwrap();
    let (earliest, running): (String, Vec<String>) = sqlx::query_as(
        "select min(pg_snapshot_xmax(settled)::text::bigint)::text,
                array(select distinct xip::text from messaging.lane, pg_snapshot_xip(settled) as xip)
         from messaging.lane",
    )
    .fetch_one(&admin)
    .await
    .unwrap();
    let explain = format!("explain (analyze, buffers, format json) {}", statement());
    let plan: Value = sqlx::query_scalar(AssertSqlSafe(explain))
        .bind(PENDING_ROWS_MAX)
        .bind(earliest)
        .bind(running)
        .fetch_one(&admin)
        .await
        .unwrap();
    let text = plan.to_string();
    assert!(text.contains("xid_idx"), "{plan:#}");
    let buffers = plan[0]["Plan"]["Shared Hit Blocks"].as_i64().unwrap()
        + plan[0]["Plan"]["Shared Read Blocks"].as_i64().unwrap();
    // Fifty thousand rows fill some seven hundred blocks; twenty and the lanes need a few.
    assert!(buffers < 100, "{buffers} buffers: {plan:#}");
}
