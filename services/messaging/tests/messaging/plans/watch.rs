//! What watches read every few seconds, whatever there is.

use tests::{Login, plan::run};

use super::{execute, planned};
use crate::support::database;

#[tokio::test]
async fn the_oldest_letters_are_counted_along_the_primary_key_and_no_further() {
    let db = database().await;
    let counted = &["order by id", "group by reason_class"];
    let mut writer = planned(&db, Login::Writer, counted).await;
    execute(
        &db.admin_pool(),
        "insert into messaging.dead_letter (consumer, message_id, body_digest, routing_key, headers, body, reason_class, reason)
         select 'payment.orders.v1', gen_random_uuid(), '', 'x', '{}', convert_to(repeat('x', 300), 'utf8'), 'conflict', 'x'
         from generate_series(1, 20000)",
    )
    .await;
    let plan = run(&mut writer, &["payment.orders.v1", "1000"]).await;
    plan.assert_reads_by("dead_letter_pkey");
    // 1,000 letters of half a kilobyte fill 70 pages of 8 KiB.
    assert!(plan.buffers() < 200, "{}", plan.0);
}

#[tokio::test]
async fn deferred_events_are_counted_by_an_index_and_no_further() {
    let db = database().await;
    let counted = &["select from messaging.deferred", "as counted"];
    let mut writer = planned(&db, Login::Writer, counted).await;
    execute(
        &db.admin_pool(),
        "insert into messaging.deferred (consumer, message_id, body_digest, type, routing_key, headers, body, attempts,
                                         next_attempt_at, reason_class, reason)
         select 'payment.orders.v1', gen_random_uuid(), '', 'x', 'x', '{}', convert_to(repeat('x', 300), 'utf8'), 1, now(), 'x', 'x'
         from generate_series(1, 20000)",
    )
    .await;
    let plan = run(&mut writer, &["payment.orders.v1", "1000"]).await;
    plan.assert_reads_by("deferred_");
    // No more rows than are counted, should each lie on a page of its own.
    assert!(plan.buffers() < 1_200, "{}", plan.0);
}
