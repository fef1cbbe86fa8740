//! Giving a paid order up: who may, when, once, and what follows.

use std::time::Duration;

use axum::body::Body;
use contracts::OrderId;
use http::{Request, StatusCode};
use messaging::doorbell::WokenBy;
use serde_json::{Value, json};
use tests::poll_until;
use uuid::Uuid;

use crate::{
    fixture::{Answer, CONNECTIONS, Shop, order_of, rub},
    stream::Listening,
};

const SOON: Duration = Duration::from_secs(10);

/// An order of user 7 that is paid.
async fn paid(shop: &Shop) -> OrderId {
    let id = shop.placed(7).await;
    shop.settle(&[id]).await;
    id
}

async fn read(shop: &Shop, id: OrderId) -> Answer {
    shop.get(7, &format!("/api/v1/orders/{id}")).await
}

/// The requests for the order's money in the outbox.
async fn refund_requests(shop: &Shop, id: OrderId) -> Vec<Value> {
    let bodies: Vec<Vec<u8>> = sqlx::query_scalar(
        "select body from messaging.outbox where key = $1 and type = 'refund.requested.v1' order by id",
    )
    .bind(id.as_uuid())
    .fetch_all(&shop.admin)
    .await
    .unwrap();
    let bodies = bodies.iter();
    bodies
        .map(|body| serde_json::from_slice(body).unwrap())
        .collect()
}

fn refused(answer: &Answer, status: StatusCode, code: &str) {
    assert_eq!(
        (answer.status, &answer.json["code"]),
        (status, &json!(code)),
        "{:?}",
        answer.json
    );
}

/// Sends requests while somebody else holds the orders, and lets go only when as many of them wait as the service has
/// connections: whatever they read before, they do the rest behind each other.
async fn all_under_way_at_once(
    shop: &Shop,
    requests: impl Iterator<Item = impl Future<Output = Answer>>,
) -> Vec<Answer> {
    let mut holding = shop.admin.begin().await.unwrap();
    sqlx::query("select from orders.orders for update")
        .execute(&mut *holding)
        .await
        .unwrap();
    let letting_go = async {
        poll_until("all connections wait", SOON, async || {
            let waiting: i64 = sqlx::query_scalar(
                "select count(*) from pg_stat_activity
                where datname = current_database() and wait_event_type = 'Lock'",
            )
            .fetch_one(&shop.admin)
            .await
            .unwrap();
            (waiting == i64::from(CONNECTIONS)).then_some(())
        })
        .await;
        holding.rollback().await.unwrap();
    };
    let (answers, ()) = tokio::join!(futures_util::future::join_all(requests), letting_go);
    answers
}

/// What a client sees of an answer.
fn essence(answer: &Answer) -> (StatusCode, String, String) {
    let etag = answer.headers["etag"].to_str().unwrap().to_owned();
    (answer.status, answer.json.to_string(), etag)
}

#[tokio::test]
async fn a_paid_order_is_given_up_and_its_money_is_asked_for_in_one_transaction() {
    let shop = Shop::open().await;
    let id = paid(&shop).await;
    let before = read(&shop, id).await;
    let mut bells = [shop.outbox_bell.bell(), shop.status_bell.bell()];
    for bell in &mut bells {
        bell.wait(Duration::ZERO).await;
    }
    let answer = shop.cancel(7, id, "k", "\"2\"").await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(answer.headers["etag"], "\"3\"");
    assert_eq!(answer.json["status"], "REFUNDING");
    assert_eq!(answer.json["version"], 3);
    assert_eq!(answer.json["reason"], Value::Null);
    assert_eq!(answer.json["decided_at"], before.json["decided_at"]);
    for bell in &mut bells {
        assert_ne!(bell.wait(Duration::ZERO).await, WokenBy::Poll);
    }

    let after = read(&shop, id).await;
    assert_eq!(after.headers["etag"], "\"3\"");
    let steps = after.json["timeline"].as_array().unwrap();
    assert_eq!(steps.last().unwrap()["step"], "refund_requested");
    let [request] = refund_requests(&shop, id).await.try_into().unwrap();
    assert_eq!(request["subject"], json!(id));
    let asked = json!({
        "order_id": id, "user_id": 7, "amount": rub(19_900), "requested_at": steps.last().unwrap()["at"],
    });
    assert_eq!(request["data"], asked);
    let key: Uuid =
        sqlx::query_scalar("select resource_id from messaging.idempotency_key where key = 'k'")
            .fetch_one(&shop.admin)
            .await
            .unwrap();
    assert_eq!(key, id.as_uuid());
}

#[tokio::test]
async fn an_order_is_cancelled_when_its_money_is_back_and_tells_every_step() {
    let shop = Shop::open().await;
    let id = paid(&shop).await;
    let decided_at = read(&shop, id).await.json["decided_at"].clone();
    shop.cancel(7, id, "k", "\"2\"").await;
    // The second time it is a duplicate under another id.
    shop.refund(&[id]).await;
    shop.refund(&[id]).await;
    let order = read(&shop, id).await.json;
    assert_eq!(
        (&order["status"], &order["reason"], &order["version"]),
        (&json!("CANCELLED"), &json!("refunded"), &json!(4))
    );
    assert_eq!(order["decided_at"], decided_at);
    let steps = order["timeline"].as_array().unwrap();
    let steps: Vec<_> = steps
        .iter()
        .map(|it| (&it["step"], &it["detail"]))
        .collect();
    assert_eq!(
        json!(steps[steps.len() - 3..]),
        json!([
            ["refund_requested", null],
            ["refunded", null],
            ["cancelled", "refunded"]
        ])
    );
    // A payment that was asked for again meanwhile and is answered late changes nothing.
    shop.settle(&[id]).await;
    assert_eq!(read(&shop, id).await.json, order);
}

#[tokio::test]
async fn an_order_that_is_new_or_over_or_being_refunded_cannot_be_given_up() {
    let shop = Shop::open().await;
    let (new, refunding, over) = (
        shop.placed(7).await,
        shop.given_up(7).await,
        shop.given_up(7).await,
    );
    shop.refund(&[over]).await;
    let before = shop.contents().await;
    for (id, version, code) in [
        (new, 1, "order_undecided"),
        (refunding, 3, "order_refunding"),
        (over, 4, "order_cancelled"),
    ] {
        // Whatever version is named: what cannot be cancelled at all is not a matter of versions.
        for etag in [
            format!("\"{version}\""),
            "\"99\"".to_owned(),
            "*".to_owned(),
        ] {
            let answer = shop.cancel(7, id, "another", &etag).await;
            refused(&answer, StatusCode::CONFLICT, code);
        }
    }
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn the_version_has_to_be_named_and_to_be_the_one_that_stands() {
    let shop = Shop::open().await;
    let id = paid(&shop).await;
    let before = shop.contents().await;
    for etag in ["\"1\"", "\"3\"", "W/\"2\"", "2", ""] {
        let answer = shop.cancel(7, id, "k", etag).await;
        refused(&answer, StatusCode::PRECONDITION_FAILED, "version_mismatch");
    }
    let post = || {
        Request::post(format!("/api/v1/orders/{id}/cancel")).header("authorization", shop.bearer(7))
    };
    let without_version = post().header("idempotency-key", "k").body(Body::empty());
    let answer = shop.send(without_version.unwrap()).await;
    refused(
        &answer,
        StatusCode::PRECONDITION_REQUIRED,
        "if_match_missing",
    );
    let without_key = post().header("if-match", "\"2\"").body(Body::empty());
    let answer = shop.send(without_key.unwrap()).await;
    refused(&answer, StatusCode::BAD_REQUEST, "idempotency_key_missing");
    assert_eq!(shop.contents().await, before, "and the key is free");
    let answer = shop.cancel(7, id, "k", "\"1\", \"2\"").await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn who_is_not_the_owner_finds_no_order_whatever_its_state() {
    let shop = Shop::open().await;
    let ids = [
        paid(&shop).await,
        shop.placed(7).await,
        shop.given_up(7).await,
    ];
    let before = shop.contents().await;
    for id in ids.into_iter().chain([OrderId::new()]) {
        let answer = shop.cancel(8, id, "k", "\"2\"").await;
        refused(&answer, StatusCode::NOT_FOUND, "order_not_found");
    }
    for name in ["17", "x", "%00"] {
        let request = Request::post(format!("/api/v1/orders/{name}/cancel"))
            .header("authorization", shop.bearer(7))
            .header("idempotency-key", "k")
            .header("if-match", "*");
        let answer = shop.send(request.body(Body::empty()).unwrap()).await;
        refused(&answer, StatusCode::NOT_FOUND, "order_not_found");
    }
    let anonymous = Request::post(format!("/api/v1/orders/{}/cancel", ids[0]))
        .header("idempotency-key", "k")
        .header("if-match", "*");
    let answer = shop.send(anonymous.body(Body::empty()).unwrap()).await;
    refused(&answer, StatusCode::UNAUTHORIZED, "unauthenticated");
    assert_eq!(shop.contents().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_twenty_times_at_once_asks_for_one_refund_and_gets_equal_answers() {
    let shop = Shop::open().await;
    let id = paid(&shop).await;
    let requests = (0..20).map(|_| shop.cancel(7, id, "same", "\"2\""));
    let answers = all_under_way_at_once(&shop, requests).await;
    let first = essence(&answers[0]);
    assert_eq!(first.0, StatusCode::ACCEPTED);
    for answer in &answers {
        assert_eq!(essence(answer), first);
    }
    assert_eq!(refund_requests(&shop, id).await.len(), 1);
    // And later, whatever has become of the order.
    shop.refund(&[id]).await;
    let before = shop.contents().await;
    for etag in ["\"2\"", "\"4\""] {
        assert_eq!(essence(&shop.cancel(7, id, "same", etag).await), first);
    }
    assert_eq!(shop.contents().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_requests_of_different_keys_at_once_ask_for_one_refund() {
    let shop = Shop::open().await;
    let id = paid(&shop).await;
    let keys: Vec<_> = (0..20).map(|number| format!("key-{number}")).collect();
    let requests = keys.iter().map(|key| shop.cancel(7, id, key, "\"2\""));
    let answers = all_under_way_at_once(&shop, requests).await;
    let (accepted, others): (Vec<_>, Vec<_>) = answers
        .iter()
        .partition(|answer| answer.status == StatusCode::ACCEPTED);
    assert_eq!(accepted.len(), 1);
    for answer in others {
        refused(answer, StatusCode::CONFLICT, "order_refunding");
    }
    assert_eq!(refund_requests(&shop, id).await.len(), 1);
    let history = "orders.status_history where status = 'REFUNDING'";
    assert_eq!(shop.count(history).await, 1);
}

#[tokio::test]
async fn a_key_that_stands_for_another_request_is_refused() {
    let shop = Shop::open().await;
    shop.place(7, "placed", &order_of(100, "Laces")).await;
    let (id, other) = (paid(&shop).await, paid(&shop).await);
    shop.cancel(7, id, "cancelled", "\"2\"").await;
    let before = shop.contents().await;
    for key in ["placed", "cancelled"] {
        let answer = shop.cancel(7, other, key, "\"2\"").await;
        refused(
            &answer,
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_key_reused",
        );
    }
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn a_socket_is_told_that_an_order_was_given_up_and_that_its_money_is_back() {
    let shop = Shop::open().await;
    let listening = Listening::start(&shop).await;
    let id = paid(&shop).await;
    let (mut stream, _) = listening.connect(&shop, 7, None).await;
    let mut original = listening.connect_to("/ws/7").await;
    let told = |frame: Value| {
        assert_eq!(frame["type"], "changes");
        frame["orders"][0].clone()
    };
    shop.cancel(7, id, "k", "\"2\"").await;
    let refunding = told(stream.next().await);
    assert_eq!(
        (&refunding["status"], &refunding["version"]),
        (&json!("REFUNDING"), &json!(3))
    );
    let read_now = read(&shop, id).await.json;
    assert_eq!(refunding["decided_at"], read_now["decided_at"]);
    let list = shop.get(7, "/api/orders/orders").await.json;
    assert_eq!(list[0]["status"], "FINISHED", "as the original shows it");

    shop.refund(&[id]).await;
    let cancelled = told(stream.next().await);
    let read_now = read(&shop, id).await.json;
    for field in ["status", "version", "reason", "decided_at"] {
        assert_eq!(cancelled[field], read_now[field], "{field}");
    }
    assert_eq!(cancelled["reason"], "refunded");
    // The original's socket is told of the end and of nothing in between.
    let ended = json!({"order_id": 1, "status": "CANCELLED", "user_id": 7});
    assert_eq!(original.next().await, ended);
    let list = shop.get(7, "/api/orders/orders").await.json;
    assert_eq!(list[0]["status"], "CANCELLED");
}

#[tokio::test]
async fn a_database_that_fails_on_the_way_leaves_the_order_as_it_was() {
    let shop = Shop::open().await;
    let id = paid(&shop).await;
    shop.damage(
        "alter table messaging.outbox add constraint broken check (type <> 'refund.requested.v1')",
    )
    .await;
    let before = shop.contents().await;
    let answer = shop.cancel(7, id, "k", "\"2\"").await;
    assert!(answer.status.is_server_error(), "{answer:?}");
    assert_eq!(shop.contents().await, before);
    shop.damage("alter table messaging.outbox drop constraint broken")
        .await;
    let answer = shop.cancel(7, id, "k", "\"2\"").await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
}
