//! The same key, the same result.

use http::StatusCode;

use crate::fixture::{Answer, Shop, order_of};

fn essence(answer: &Answer) -> (StatusCode, String, String, String) {
    let header = |name| answer.headers[name].to_str().unwrap().to_owned();
    (
        answer.status,
        answer.json.to_string(),
        header("location"),
        header("etag"),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_fifty_times_at_once_places_one_order_and_gets_equal_answers() {
    let shop = Shop::open().await;
    let body = order_of(19_900, "A pair of skates");
    let requests = (0..50).map(|_| shop.place(7, "same", &body));
    let answers = futures_util::future::join_all(requests).await;
    let first = essence(&answers[0]);
    assert_eq!(first.0, StatusCode::CREATED);
    for answer in &answers {
        assert_eq!(essence(answer), first);
    }
    for table in ["orders.orders", "orders.status_history", "messaging.outbox"] {
        assert_eq!(shop.count(table).await, 1, "{table}");
    }
}

#[tokio::test]
async fn a_repeated_request_is_answered_as_the_first_time_whatever_became_of_the_order() {
    let shop = Shop::open().await;
    let body = order_of(19_900, "A pair of skates");
    let first = shop.place(7, "same", &body).await;
    shop.damage(
        "update orders.orders
        set status = 'CANCELLED', version = 2, reason = 'no_account', decided_at = now()",
    )
    .await;
    let before = shop.contents().await;
    let again = shop.place(7, "same", &body).await;
    assert_eq!(essence(&again), essence(&first));
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn a_key_with_another_body_is_refused_and_changes_nothing() {
    let shop = Shop::open().await;
    shop.place(7, "same", &order_of(19_900, "A pair of skates"))
        .await;
    let before = shop.contents().await;
    for other in [
        order_of(19_901, "A pair of skates"),
        order_of(19_900, "A pair of skis"),
    ] {
        let answer = shop.place(7, "same", &other).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(answer.json["code"], "idempotency_key_reused");
    }
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn another_users_key_is_another_key() {
    let shop = Shop::open().await;
    let body = order_of(19_900, "A pair of skates");
    let mine = shop.place(7, "same", &body).await;
    let theirs = shop.place(8, "same", &body).await;
    assert_eq!(theirs.status, StatusCode::CREATED);
    assert_ne!(mine.json["id"], theirs.json["id"]);
    assert_eq!(shop.count("orders.orders").await, 2);
}

#[tokio::test]
async fn a_key_older_than_a_day_is_new_again() {
    let shop = Shop::open().await;
    let body = order_of(19_900, "A pair of skates");
    let first = shop.place(7, "same", &body).await;
    let age = |by: &'static str| {
        format!("update messaging.idempotency_key set created_at = now() - interval '{by}'")
    };
    shop.damage(&age("23 hours 59 minutes")).await;
    assert_eq!(
        shop.place(7, "same", &body).await.json["id"],
        first.json["id"]
    );
    shop.damage(&age("24 hours 1 minute")).await;
    assert_ne!(
        shop.place(7, "same", &body).await.json["id"],
        first.json["id"]
    );
    assert_eq!(shop.count("orders.orders").await, 2);
}
