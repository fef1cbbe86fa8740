//! Reading orders: the list, one of them, and nobody else's.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::Value;

use crate::fixture::{Shop, order_of};

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|order| order["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_list_goes_through_all_orders_newest_first_each_once() {
    let shop = Shop::open().await;
    let mut placed = Vec::new();
    for _ in 0..5 {
        placed.insert(0, shop.placed(7).await.to_string());
        shop.placed(8).await;
    }
    let mut seen = Vec::new();
    let mut path = "/api/v1/orders?limit=2".to_owned();
    loop {
        let page = shop.get(7, &path).await;
        assert_eq!(page.status, StatusCode::OK);
        seen.extend(ids(&page.json));
        let Some(cursor) = page.json["next_cursor"].as_str() else {
            break;
        };
        path = format!("/api/v1/orders?limit=2&cursor={cursor}");
        // What is placed meanwhile is newer than the cursor and moves nothing.
        if seen.len() == 2 {
            shop.placed(7).await;
        }
    }
    assert_eq!(seen, placed);
}

#[tokio::test]
async fn a_page_that_is_just_full_is_the_last() {
    let shop = Shop::open().await;
    shop.placed(7).await;
    shop.placed(7).await;
    let page = shop.get(7, "/api/v1/orders?limit=2").await;
    assert_eq!(ids(&page.json).len(), 2);
    assert_eq!(page.json["next_cursor"], Value::Null);
}

#[tokio::test]
async fn a_known_version_is_not_sent_again() {
    let shop = Shop::open().await;
    let path = format!("/api/v1/orders/{}", shop.placed(7).await);
    let ask = |tag: &'static str| {
        let request = Request::get(&path).header("authorization", shop.bearer(7));
        shop.send(
            request
                .header("if-none-match", tag)
                .body(Body::empty())
                .unwrap(),
        )
    };
    let known = ask("\"1\"").await;
    assert_eq!(known.status, StatusCode::NOT_MODIFIED);
    assert_eq!(known.headers["etag"], "\"1\"");
    assert_eq!(known.json, Value::Null);
    assert_eq!(ask("\"2\"").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_known_page_is_not_sent_again_until_an_order_on_it_changes() {
    let shop = Shop::open().await;
    let id = shop.placed(7).await;
    let path = "/api/v1/orders";
    let tag = shop.get(7, path).await.headers["etag"].clone();
    let ask = || {
        let request = Request::get(path).header("authorization", shop.bearer(7));
        let request = request.header("if-none-match", &tag);
        shop.send(request.body(Body::empty()).unwrap())
    };
    let known = ask().await;
    assert_eq!(known.status, StatusCode::NOT_MODIFIED);
    assert_eq!(known.headers["etag"], tag);
    assert_eq!(known.json, Value::Null);
    shop.settle(&[id]).await;
    let paid = ask().await;
    assert_eq!(paid.status, StatusCode::OK);
    assert_eq!(paid.json["items"][0]["status"], "FINISHED");
    let tag_of_one = shop.get(7, "/api/v1/orders?limit=1").await.headers["etag"].clone();
    shop.placed(7).await;
    let newest = shop.get(7, "/api/v1/orders?limit=1").await;
    assert_ne!(newest.headers["etag"], tag_of_one);
}

#[tokio::test]
async fn the_timeline_names_the_event_of_each_change() {
    let shop = Shop::open().await;
    let id = shop.placed(7).await;
    let answer = shop.settle(&[id]).await[0];
    shop.cancel(7, id, "key", "\"2\"").await;
    let order = shop.get(7, &format!("/api/v1/orders/{id}")).await.json;
    let event_of = |step: &str| {
        let timeline = order["timeline"].as_array().unwrap();
        let item = timeline.iter().find(|item| item["step"] == step).unwrap();
        item["event_id"].as_str().unwrap().to_owned()
    };
    for step in ["placed", "refund_requested"] {
        let sent: i64 = sqlx::query_scalar(
            "select count(*) from messaging.outbox where event_id = $1::uuid and key = $2",
        )
        .bind(event_of(step))
        .bind(id.as_uuid())
        .fetch_one(&shop.admin)
        .await
        .unwrap();
        assert_eq!(sent, 1, "{step}");
    }
    assert_eq!(event_of("finished"), answer.to_string());
    assert_eq!(event_of("payment_decided"), answer.to_string());
}

#[tokio::test]
async fn a_page_has_at_most_a_hundred_orders() {
    let shop = Shop::open().await;
    shop.place_many(7, 101).await;
    let page = shop.get(7, "/api/v1/orders?limit=100").await;
    assert_eq!(ids(&page.json).len(), 100);
    let default = shop.get(7, "/api/v1/orders").await;
    assert_eq!(ids(&default.json).len(), 20);
}

#[tokio::test]
async fn without_row_level_security_the_owner_in_each_where_still_keeps_users_apart() {
    let shop = Shop::open().await;
    shop.damage(
        "alter table orders.orders disable row level security;
        alter table orders.status_history disable row level security",
    )
    .await;
    let id = shop.placed(7).await;
    assert_eq!(
        shop.get(7, &format!("/api/v1/orders/{id}")).await.status,
        StatusCode::OK
    );
    let others = shop.get(8, &format!("/api/v1/orders/{id}")).await;
    assert_eq!(others.status, StatusCode::NOT_FOUND);
    assert!(ids(&shop.get(8, "/api/v1/orders").await.json).is_empty());
    let key = "same";
    shop.place(7, key, &order_of(100, "Laces")).await;
    let theirs = shop.place(8, key, &order_of(100, "Laces")).await;
    assert_eq!(theirs.json["user_id"], 8);
}

#[tokio::test]
async fn everything_of_one_user_is_nothing_to_another() {
    let shop = Shop::open().await;
    let id = shop.placed(7).await;
    let page = shop.get(7, "/api/v1/orders?limit=1").await;
    shop.placed(7).await;
    let cursor = shop.get(7, "/api/v1/orders?limit=1").await.json["next_cursor"].clone();
    assert_eq!(ids(&page.json), [id.to_string()]);

    let others = shop.get(8, &format!("/api/v1/orders/{id}")).await;
    let nobodys = shop
        .get(8, "/api/v1/orders/018f0000-0000-7000-8000-000000000000")
        .await;
    assert_eq!(others.status, StatusCode::NOT_FOUND);
    for field in ["status", "code", "title", "detail"] {
        assert_eq!(
            others.json[field], nobodys.json[field],
            "another's order and none look the same"
        );
    }
    for path in [
        "/api/v1/orders".to_owned(),
        format!("/api/v1/orders?cursor={}", cursor.as_str().unwrap()),
    ] {
        assert!(ids(&shop.get(8, &path).await.json).is_empty(), "{path}");
    }
    let known = Request::get(format!("/api/v1/orders/{id}"))
        .header("authorization", shop.bearer(8))
        .header("if-none-match", "*");
    let answer = shop.send(known.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}
