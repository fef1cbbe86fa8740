//! Load shedding over HTTP: every limit at its edge, nothing done for what is refused; and the count behind it.

use std::time::Duration;

use axum::body::Body;
use chassis::Profile;
use contracts::OrderId;
use futures_util::{FutureExt, future::join_all};
use http::{Request, StatusCode};
use order::LoadLimits;
use tests::poll_until;

use crate::{
    fixture::{Answer, Shop, insert_orders, order_of},
    stream::Listening,
};

const SOON: Duration = Duration::from_secs(10);

async fn open(limits: LoadLimits) -> Shop {
    Shop::open_with(Profile::Demo, limits).await
}

async fn place(shop: &Shop) -> Answer {
    let key = OrderId::new().to_string();
    shop.place(7, &key, &order_of(100, "Laces")).await
}

async fn place_as_the_original_did(shop: &Shop) -> Answer {
    let body = r#"{"user_id": 7, "amount": 1, "description": "Laces"}"#;
    let request = Request::post("/api/orders/orders").header("content-type", "application/json");
    shop.send(request.body(Body::from(body)).unwrap()).await
}

#[track_caller]
fn check_refused(answer: &Answer, seconds: &str) {
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.json["code"], "overloaded");
    assert_eq!(answer.headers["retry-after"], seconds);
}

/// The count as the service knows it.
async fn counted(shop: &Shop) -> i64 {
    order::load_monitor(&shop.state).read().await.unwrap();
    shop.metrics.undecided().unwrap()
}

/// Waits until the service knows that so many orders are undecided.
async fn knows(shop: &Shop, undecided: i64) {
    let what = format!("{undecided} orders are known to be undecided");
    poll_until(&what, SOON, async || {
        (counted(shop).await == undecided).then_some(())
    })
    .await;
}

#[tokio::test]
async fn at_the_limit_of_undecided_orders_the_next_one_is_refused_and_nothing_is_done() {
    let shop = open(LoadLimits {
        undecided: 2,
        ..LoadLimits::default()
    })
    .await;
    let _listening = Listening::start(&shop).await;
    knows(&shop, 0).await;
    let first = shop.placed(7).await;
    knows(&shop, 1).await;
    shop.placed(7).await;
    knows(&shop, 2).await;
    let before = shop.contents().await;
    check_refused(&place(&shop).await, "2");
    check_refused(&place_as_the_original_did(&shop).await, "2");
    assert_eq!(shop.contents().await, before);
    let empty = shop.place(7, "invalid", &order_of(100, "")).await;
    assert_eq!(
        empty.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "what can never be taken is told so"
    );

    shop.settle(&[first]).await;
    knows(&shop, 1).await;
    assert_eq!(place(&shop).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn at_the_limit_of_uncommitted_requests_the_next_one_is_refused_at_once() {
    let shop = open(LoadLimits {
        uncommitted: 2,
        ..LoadLimits::default()
    })
    .await;
    let mut holding = shop.admin.begin().await.unwrap();
    sqlx::query("lock table messaging.idempotency_key in exclusive mode")
        .execute(&mut *holding)
        .await
        .unwrap();
    let mut under_way = Box::pin(join_all([place(&shop), place(&shop)]));
    assert!(under_way.as_mut().now_or_never().is_none());
    check_refused(&place(&shop).await, "1");
    check_refused(&place_as_the_original_did(&shop).await, "1");
    holding.rollback().await.unwrap();
    for answer in under_way.await {
        assert_eq!(answer.status, StatusCode::CREATED);
    }
    assert_eq!(place(&shop).await.status, StatusCode::CREATED);
    assert_eq!(shop.count("orders.orders").await, 3);
}

#[tokio::test]
async fn beyond_the_age_of_the_oldest_event_orders_are_refused_until_it_is_published() {
    let shop = open(LoadLimits::default()).await;
    shop.placed(7).await;
    let oldest_is = async |seconds: f64| {
        sqlx::query("update messaging.outbox set appended_at = now() - make_interval(secs => $1)")
            .bind(seconds)
            .execute(&shop.admin)
            .await
            .unwrap();
        order::load_monitor(&shop.state).read().await.unwrap();
    };
    oldest_is(50.0).await;
    assert_eq!(place(&shop).await.status, StatusCode::CREATED);
    oldest_is(60.0).await;
    check_refused(&place(&shop).await, "5");
    check_refused(&place_as_the_original_did(&shop).await, "5");
    // Every lane but the one of the oldest event is published.
    shop.damage(
        "update messaging.lane set settled = pg_current_snapshot()
         where lane <> (select lane from messaging.outbox order by id limit 1)",
    )
    .await;
    order::load_monitor(&shop.state).read().await.unwrap();
    check_refused(&place(&shop).await, "5");
    shop.damage("update messaging.lane set settled = pg_current_snapshot()")
        .await;
    order::load_monitor(&shop.state).read().await.unwrap();
    assert_eq!(place(&shop).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn the_count_is_exact_through_late_commits_outages_and_a_new_start() {
    let shop = open(LoadLimits::default()).await;
    // Decided, undecided and stuck before anybody counts.
    let first = shop.placed(7).await;
    shop.place_many(7, 30).await;
    shop.settle(&[first]).await;
    let mut listening = Listening::start(&shop).await;
    knows(&shop, 30).await;

    let mut late = shop.writer.begin().await.unwrap();
    insert_orders(&mut late, 7, 5).await;
    let placed = join_all((0..20).map(|user| shop.placed(8 + user))).await;
    knows(&shop, 50).await;
    late.commit().await.unwrap();
    knows(&shop, 55).await;

    shop.wire.cut();
    shop.settle(&placed[..10]).await;
    shop.place_many(7, 2_500).await;
    shop.wire.restore();
    knows(&shop, 2_545).await;

    // A new process counts anew, and the reconciler's mark bounds what it looks at.
    drop(listening);
    shop.damage(
        "insert into orders.stuck (order_id, since, requested_at, next_attempt_at)
         select id, now(), now(), now() from orders.orders where status = 'NEW' order by id limit 100;
         insert into orders.stuck (order_id, since, requested_at, next_attempt_at)
         select id, now(), now(), now() from orders.orders where status = 'FINISHED' limit 1;
         insert into orders.reconciler (mark) select order_id from orders.stuck order by order_id desc limit 1",
    )
    .await;
    listening = Listening::start(&shop).await;
    shop.settle(&placed[10..]).await;
    let exact: i64 = sqlx::query_scalar("select count(*) from orders.orders where status = 'NEW'")
        .fetch_one(&shop.admin)
        .await
        .unwrap();
    assert_eq!(exact, 2_535);
    knows(&shop, exact).await;
    drop(listening);
}
