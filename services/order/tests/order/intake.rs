//! Orders that arrive together are committed together, and each keeps its own fate.

use std::time::Duration;

use axum::body::Body;
use futures_util::{
    FutureExt,
    future::{join, join_all},
};
use http::{Request, StatusCode};
use sqlx::{PgConnection, PgTransaction};

use crate::fixture::{Answer, Shop, order_of};

/// Keeps intake from committing anything until the transaction ends.
async fn hold(shop: &Shop) -> PgTransaction<'static> {
    let mut holding = shop.admin.begin().await.unwrap();
    let statement = "lock table messaging.idempotency_key in exclusive mode";
    sqlx::query(statement).execute(&mut *holding).await.unwrap();
    holding
}

/// Waits until a transaction of the service stands before the lock.
async fn somebody_waits(connection: &mut PgConnection) {
    let what = "a transaction waits for the lock";
    tests::poll_until(what, Duration::from_secs(1), async || {
        let waiting: i64 =
            sqlx::query_scalar("select count(*) from pg_locks where not granted and relation = 'messaging.idempotency_key'::regclass")
                .fetch_one(&mut *connection)
                .await
                .unwrap();
        (waiting > 0).then_some(())
    })
    .await;
}

/// Sends one request, and while its transaction is under way others, which gather: the answers to both.
async fn while_under_way<T>(
    shop: &Shop,
    first: impl Future<Output = Answer>,
    others: impl Future<Output = T>,
) -> (Answer, T) {
    let mut holding = hold(shop).await;
    let others = async {
        somebody_waits(&mut holding).await;
        let mut others = std::pin::pin!(others);
        assert!(others.as_mut().now_or_never().is_none());
        holding.rollback().await.unwrap();
        others.await
    };
    tokio::join!(first, others)
}

#[tokio::test]
async fn orders_that_gather_while_a_transaction_is_under_way_are_one_commit() {
    let shop = Shop::open().await;
    let laces = order_of(100, "Laces");
    let first = shop.place(7, "first", &laces);
    let rest = (0..20).map(|user| shop.place(8 + user, "rest", &laces));
    let (first, rest) = while_under_way(&shop, first, join_all(rest)).await;
    assert_eq!(first.json["number"], 1);
    let numbers: Vec<i64> = rest
        .iter()
        .map(|answer| answer.json["number"].as_i64().unwrap())
        .collect();
    assert_eq!(numbers, (2..=21).collect::<Vec<_>>(), "in order of arrival");
    for table in ["orders.status_history", "messaging.outbox"] {
        let commits = format!("(select distinct xid from {table}) as commits");
        assert_eq!(shop.count(&commits).await, 2, "{table}");
    }
}

#[tokio::test]
async fn twins_that_gather_are_one_order_and_another_body_is_refused() {
    let shop = Shop::open().await;
    let (laces, skis) = (order_of(100, "Laces"), order_of(100, "Skis"));
    let first = shop.place(7, "first", &laces);
    let twins = [&laces, &skis, &laces].map(|body| shop.place(7, "twins", body));
    let (_, twins) = while_under_way(&shop, first, join_all(twins)).await;
    assert_eq!(twins[0].status, StatusCode::CREATED);
    assert_eq!(twins[0].json["description"], "Laces");
    assert_eq!(twins[1].json["code"], "idempotency_key_reused");
    assert_eq!(twins[2].json, twins[0].json);
    assert_eq!(shop.count("orders.orders").await, 2);
}

#[tokio::test]
async fn among_orders_that_gather_what_was_placed_before_is_answered_and_not_placed_again() {
    let shop = Shop::open().await;
    let (laces, skis) = (order_of(100, "Laces"), order_of(100, "Skis"));
    let before = shop.place(7, "before", &laces).await;
    let first = shop.place(8, "first", &laces);
    let rest = [
        (7, "before", &laces),
        (9, "new", &laces),
        (7, "before", &skis),
        (10, "new", &laces),
    ];
    let rest = rest.map(|(user, key, body)| shop.place(user, key, body));
    let keyless = Request::post("/api/orders/orders").header("content-type", "application/json");
    let body = r#"{"user_id": 7, "amount": 1, "description": "Laces"}"#;
    let keyless = shop.send(keyless.body(Body::from(body)).unwrap());
    let others = join(join_all(rest), keyless);
    let (first, (rest, keyless)) = while_under_way(&shop, first, others).await;
    assert_eq!(first.json["number"], 2);
    assert_eq!(rest[0].json, before.json);
    assert_eq!(rest[2].json["code"], "idempotency_key_reused");
    let numbers = [&rest[1], &rest[3]].map(|answer| answer.json["number"].clone());
    assert_eq!(numbers, [3, 4], "no number is spent on what is not placed");
    assert_eq!(keyless.json["id"], 5);
    for (table, rows) in [
        ("orders.orders", 5),
        ("orders.status_history", 5),
        ("messaging.outbox", 5),
        ("messaging.idempotency_key", 4),
    ] {
        assert_eq!(shop.count(table).await, rows, "{table}");
    }
}

#[tokio::test]
async fn a_twin_on_another_replica_is_waited_for_and_counts_if_it_commits() {
    let shop = Shop::open().await;
    for (key, commits, status) in [("stays", true, 422), ("goes", false, 201)] {
        let mut other = shop.admin.begin().await.unwrap();
        sqlx::query(
            "insert into messaging.idempotency_key (user_id, key, request_digest, resource_id)
            values (7, $1, 'of another request', gen_random_uuid())",
        )
        .bind(key)
        .execute(&mut *other)
        .await
        .unwrap();
        let body = order_of(100, "Laces");
        let placing = shop.place(7, key, &body);
        let ending = async {
            tests::poll_until("the twin waits", Duration::from_secs(1), async || {
                let waiting = "select count(*) from pg_locks where not granted and locktype = 'transactionid'";
                let waiting: i64 = sqlx::query_scalar(waiting).fetch_one(&shop.admin).await.unwrap();
                (waiting > 0).then_some(())
            })
            .await;
            if commits {
                other.commit().await.unwrap();
            } else {
                other.rollback().await.unwrap();
            }
        };
        let (placed, ()) = tokio::join!(placing, ending);
        assert_eq!(placed.status.as_u16(), status, "{key}");
    }
    assert_eq!(shop.count("orders.orders").await, 1);
}

#[tokio::test]
async fn what_cannot_be_read_again_takes_nobodys_new_order_with_it() {
    let shop = Shop::open().await;
    let laces = order_of(100, "Laces");
    shop.place(7, "before", &laces).await;
    shop.damage(
        "revoke select on orders.orders from orders_writer;
        grant select (id, number) on orders.orders to orders_writer",
    )
    .await;
    let first = shop.place(8, "first", &laces);
    let rest = [(7, "before"), (9, "new")].map(|(user, key)| shop.place(user, key, &laces));
    let (_, rest) = while_under_way(&shop, first, join_all(rest)).await;
    assert_eq!(rest[0].status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(rest[1].status, StatusCode::CREATED);
    assert_eq!(shop.count("orders.orders").await, 3);
}

#[tokio::test]
async fn an_order_that_can_never_be_written_takes_no_other_with_it() {
    let shop = Shop::open().await;
    shop.damage("alter table orders.orders add constraint no_skis check (description <> 'Skis')")
        .await;
    let (laces, skis) = (order_of(100, "Laces"), order_of(100, "Skis"));
    let first = shop.place(7, "first", &laces);
    let rest = [(8, &laces), (9, &skis), (10, &laces)];
    let rest = rest.map(|(user, body)| shop.place(user, "rest", body));
    let (_, rest) = while_under_way(&shop, first, join_all(rest)).await;
    let statuses: Vec<u16> = rest.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses, [201, 500, 201]);
    assert_eq!(shop.count("orders.orders").await, 3);
    assert_eq!(shop.count("messaging.idempotency_key").await, 3);
}

#[tokio::test]
async fn a_client_that_goes_away_takes_nobody_elses_order_with_it() {
    let shop = Shop::open().await;
    let mut holding = hold(&shop).await;
    let laces = order_of(100, "Laces");
    let mut gone = Box::pin(shop.place(7, "gone", &laces));
    assert!(gone.as_mut().now_or_never().is_none());
    somebody_waits(&mut holding).await;
    let mut stays = std::pin::pin!(shop.place(8, "stays", &laces));
    assert!(stays.as_mut().now_or_never().is_none());
    drop(gone);
    holding.rollback().await.unwrap();
    assert_eq!(stays.await.status, StatusCode::CREATED);
    assert_eq!(shop.count("orders.orders").await, 2);
}

#[tokio::test]
async fn a_connection_that_falls_silent_holds_intake_up_for_a_bounded_time() {
    let shop = Shop::open().await;
    let mut holding = hold(&shop).await;
    let laces = order_of(100, "Laces");
    let silent = shop.place(7, "silent", &laces);
    let rest = async {
        somebody_waits(&mut holding).await;
        shop.wire.swallow();
        holding.rollback().await.unwrap();
    };
    let (silent, ()) = tokio::join!(silent, rest);
    assert!(silent.status.is_server_error(), "{silent:?}");
    let next = shop.place(8, "next", &laces).await;
    assert_eq!(next.status, StatusCode::CREATED);
    let again = shop.place(7, "silent", &laces).await;
    assert_eq!(again.status, StatusCode::CREATED);
    assert_eq!(shop.count("orders.orders").await, 2, "it was in doubt");
}
