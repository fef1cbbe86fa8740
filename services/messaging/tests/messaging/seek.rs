//! Seeking an order by an event: while it waits, once it is published, and as a dead letter.

use contracts::TraceContext;
use messaging::{outbox::append, seek, topology::PAYMENT_ORDERS};
use serde_json::json;
use sqlx::PgPool;
use tests::{Login, TestDatabase};
use uuid::Uuid;

use crate::support::{database, placed};

/// An event in the outbox: its id and its key.
async fn appended(db: &TestDatabase) -> (Uuid, Uuid) {
    let mut tx = db.pool(Login::Writer).begin().await.unwrap();
    append(&mut tx, &placed(100), &TraceContext::root())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    sqlx::query_as("select event_id, key from messaging.outbox order by id desc limit 1")
        .fetch_one(&db.admin_pool())
        .await
        .unwrap()
}

async fn sought(writer: &PgPool, event_id: Uuid) -> Option<Uuid> {
    let mut connection = writer.acquire().await.unwrap();
    seek::key_of_event(&mut connection, event_id).await.unwrap()
}

#[tokio::test]
async fn an_event_leads_to_its_order_while_it_waits_and_when_it_is_published() {
    let db = database().await;
    let (writer, admin) = (db.pool(Login::Writer), db.admin_pool());
    let (event, order) = appended(&db).await;
    assert_eq!(sought(&writer, event).await, Some(order));
    assert_eq!(sought(&writer, Uuid::now_v7()).await, None);
    // Published: the lanes are past it, and only the log knows it.
    sqlx::raw_sql("update messaging.lane set settled_id = 1000")
        .execute(&admin)
        .await
        .unwrap();
    assert_eq!(sought(&writer, event).await, None);
    sqlx::query(
        "insert into messaging.publish_log
             (published_at, confirmed_at, relay, type, lanes, epochs, first_id, last_id, first_event, last_event, event_ids,
              attempts, outcome)
         select now(), now(), 'r', type, array[lane], array[1], id, id, event_id, event_id, array[event_id], 1, 'confirmed'
         from messaging.outbox where event_id = $1",
    )
    .bind(event)
    .execute(&admin)
    .await
    .unwrap();
    assert_eq!(sought(&writer, event).await, Some(order));
}

#[tokio::test]
async fn a_dead_letter_leads_to_its_order_by_event_and_trace_and_orders_lead_to_it() {
    let db = database().await;
    let (order, event) = (Uuid::now_v7(), Uuid::now_v7());
    let body = json!({"id": event, "subject": order}).to_string();
    sqlx::query(
        "insert into messaging.dead_letter
             (consumer, message_id, body_digest, routing_key, headers, body, reason_class, reason, trace_id)
         values ($1, $2, '', 'x', '{}', $3, 'invalid', 'because', 'abc')",
    )
    .bind(PAYMENT_ORDERS.name)
    .bind(event)
    .bind(body.into_bytes())
    .execute(&db.admin_pool())
    .await
    .unwrap();
    let mut connection = db.pool(Login::Writer).acquire().await.unwrap();
    for (event, trace, found) in [
        (Some(event), None, Some(order)),
        (None, Some("abc"), Some(order)),
        (Some(order), None, None),
        (None, None, None),
    ] {
        let subject = seek::subject_of_letter(&mut connection, event, trace).await;
        assert_eq!(subject.unwrap(), found, "{event:?} {trace:?}");
    }
    let asked = [Uuid::now_v7(), order];
    let found = seek::keys_in_letters(&mut connection, &asked).await;
    assert_eq!(found.unwrap(), [order]);
}
