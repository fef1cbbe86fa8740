//! What makes a repeated message or request harmless: the inbox and the idempotency keys.

use sqlx::PgPool;
use tests::{Login, plan::run};
use uuid::Uuid;

use super::{execute, planned};
use crate::support::database;

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
    let id = Uuid::now_v7().to_string();
    let plan = run(&mut writer, &["1", "key 300", "\\x01", &id]).await;
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
