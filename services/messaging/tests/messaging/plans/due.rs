//! What is due among our own rows: looked for again and again, and found by an index however many are not due.

use tests::{
    Login,
    plan::{Plan, run},
};

use super::{execute, planned};
use crate::support::database;

/// It reads the index as far as rows are due, those rows, and nothing it would have to sort.
fn assert_is_a_range(plan: &Plan, index: &str) {
    plan.assert_reads_by(index);
    assert!(plan.0.contains("rows=30 "), "{}", plan.0);
    assert!(!plan.0.contains("Sort"), "{}", plan.0);
    // Each of the rows may lie on a page of its own.
    assert!(plan.buffers() < 60, "{}", plan.0);
}

#[tokio::test]
async fn deferred_events_that_are_due_are_a_range_of_an_index() {
    let db = database().await;
    let due = &["from messaging.deferred", "order by next_attempt_at"];
    let mut writer = planned(&db, Login::Writer, due).await;
    // Another consumer's are due, and of ours 30 among 15,000.
    execute(
        &db.admin_pool(),
        "insert into messaging.deferred (consumer, message_id, body_digest, type, routing_key, headers, body, attempts,
                                         next_attempt_at, reason_class, reason)
         select case n % 2 when 0 then 'payment.orders.v1' else 'order.payments.v1' end, gen_random_uuid(), '', 'x', 'x', '{}',
                convert_to(repeat('x', 300), 'utf8'), 1,
                now() + case when n % 2 = 1 or n % 1000 = 0 then interval '-1 hour' else interval '1 hour' end, 'x', 'x'
         from generate_series(1, 30000) as n",
    )
    .await;
    let plan = run(&mut writer, &["payment.orders.v1", "100"]).await;
    assert_is_a_range(&plan, "deferred_due_idx");
}

#[tokio::test]
async fn dead_letters_whose_redrive_is_due_are_a_range_of_an_index() {
    let db = database().await;
    let due = &["from messaging.dead_letter", "order by redrive_at"];
    let mut writer = planned(&db, Login::Writer, due).await;
    // Another consumer's are due; of ours 30 among 15,000, of which most are not marked.
    execute(
        &db.admin_pool(),
        "insert into messaging.dead_letter (consumer, message_id, body_digest, routing_key, headers, body, reason_class,
                                            reason, redrive_at, redrive_by)
         select consumer, gen_random_uuid(), '', 'x', '{}', convert_to(repeat('x', 300), 'utf8'), 'x', 'x', redrive_at,
                case when redrive_at is not null then 'olga' end
         from generate_series(1, 30000) as n, lateral (
             select case n % 2 when 0 then 'payment.orders.v1' else 'order.payments.v1' end as consumer,
                    now() + case when n % 2 = 1 or n % 1000 = 0 then interval '-1 hour' when n % 10 = 0 then interval '1 hour' end
                        as redrive_at
         ) as letter",
    )
    .await;
    let plan = run(&mut writer, &["payment.orders.v1", "100"]).await;
    assert_is_a_range(&plan, "dead_letter_due_idx");
}
