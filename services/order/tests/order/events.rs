//! The event stream: opening, changes, resume, refusals and ends.

use std::{collections::HashMap, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use contracts::OrderId;
use serde_json::{Value, json};

use crate::{
    fixture::{Shop, insert_orders},
    stream::Listening,
};

/// How long silence is listened to before it counts.
const SILENCE: Duration = Duration::from_millis(300);

/// Number, status and version of each order in a frame.
fn told(frame: &Value) -> Vec<(i64, String, i64)> {
    let orders = frame["orders"].as_array().unwrap();
    orders
        .iter()
        .map(|order| {
            let status = order["status"].as_str().unwrap().to_owned();
            (
                order["number"].as_i64().unwrap(),
                status,
                order["version"].as_i64().unwrap(),
            )
        })
        .collect()
}

fn told_once(number: i64, status: &str, version: i64) -> Vec<(i64, String, i64)> {
    vec![(number, status.to_owned(), version)]
}

#[tokio::test]
async fn a_socket_is_told_its_orders_and_then_every_change_of_them() {
    let shop = Shop::open().await;
    let listening = Listening::start(&shop).await;
    let id = shop.placed(7).await;
    let (mut stream, first) = listening.connect(&shop, 7, None).await;
    assert_eq!(first["resumed"], false);
    assert_eq!(told(&first), told_once(1, "NEW", 1));
    shop.settle(&[id]).await;
    let frame = stream.next().await;
    assert_eq!(frame["type"], "changes");
    assert_eq!(told(&frame), told_once(1, "FINISHED", 2));
    assert!(frame["cursor"].is_string());
    shop.placed(7).await;
    assert_eq!(told(&stream.next().await), told_once(2, "NEW", 1));
    let read = shop.get(7, &format!("/api/v1/orders/{id}")).await.json;
    for field in [
        "id",
        "number",
        "user_id",
        "description",
        "amount",
        "created_at",
        "decided_at",
        "reason",
    ] {
        assert_eq!(frame["orders"][0][field], read[field], "{field}");
    }
}

#[tokio::test]
async fn a_socket_hears_nothing_of_other_users() {
    let shop = Shop::open().await;
    let listening = Listening::start(&shop).await;
    let theirs = shop.placed(8).await;
    let (mut stream, first) = listening.connect(&shop, 7, None).await;
    assert!(told(&first).is_empty());
    shop.settle(&[theirs]).await;
    shop.placed(8).await;
    assert_eq!(stream.next_within(SILENCE).await, None);
}

#[tokio::test]
async fn a_resumed_socket_is_told_what_it_missed_and_nothing_else() {
    let shop = Shop::open().await;
    let listening = Listening::start(&shop).await;
    let (quiet, decided) = (shop.placed(7).await, shop.placed(7).await);
    let (stream, first) = listening.connect(&shop, 7, None).await;
    drop(stream);
    shop.settle(&[decided]).await;
    shop.placed(7).await;
    shop.placed(8).await;
    let (mut stream, resumed) = listening.connect(&shop, 7, first["cursor"].as_str()).await;
    assert_eq!(resumed["resumed"], true);
    let mut expected = told_once(3, "NEW", 1);
    expected.extend(told_once(2, "FINISHED", 2));
    assert_eq!(told(&resumed), expected);
    drop(stream);
    let (_, again) = listening
        .connect(&shop, 7, resumed["cursor"].as_str())
        .await;
    assert_eq!((&again["resumed"], told(&again)), (&json!(true), vec![]));
    (stream, _) = listening.connect(&shop, 7, again["cursor"].as_str()).await;
    shop.settle(&[quiet]).await;
    assert_eq!(told(&stream.next().await), told_once(1, "FINISHED", 2));
}

#[tokio::test]
async fn a_cursor_that_cannot_be_resumed_gets_the_newest_orders() {
    let shop = Shop::open().await;
    let listening = Listening::start(&shop).await;
    shop.placed(7).await;
    let (_stream, first) = listening.connect(&shop, 7, None).await;
    let cursor = String::from_utf8(
        URL_SAFE_NO_PAD
            .decode(first["cursor"].as_str().unwrap())
            .unwrap(),
    );
    let cursor = cursor.unwrap();
    let (head, snapshot) = cursor.rsplit_once('/').unwrap();
    let ahead = u64::MAX;
    for unusable in [
        "nonsense".to_owned(),
        URL_SAFE_NO_PAD.encode(format!("1/1/{snapshot}")),
        URL_SAFE_NO_PAD.encode(format!("{head}/{ahead}:{ahead}:")),
    ] {
        let (_stream, opening) = listening.connect(&shop, 7, Some(&unusable)).await;
        assert_eq!(
            (&opening["resumed"], told(&opening).len()),
            (&json!(false), 1),
            "{unusable}"
        );
    }
}

#[tokio::test]
async fn a_cursor_passes_no_transaction_whose_number_a_crash_could_give_again() {
    let shop = Shop::open().await;
    let listening = Listening::start(&shop).await;
    let roll_back = async || {
        for _ in 0..5 {
            shop.damage("begin; select pg_current_xact_id(); rollback")
                .await;
        }
    };
    // The first transaction that a cursor has not passed.
    let xmax = |frame: &Value| {
        let cursor = URL_SAFE_NO_PAD
            .decode(frame["cursor"].as_str().unwrap())
            .unwrap();
        let cursor = String::from_utf8(cursor).unwrap();
        cursor.split(':').nth(1).unwrap().parse::<i64>().unwrap()
    };
    let last_committed = async || {
        let last = "select max(xid)::text::bigint from orders.status_history";
        sqlx::query_scalar::<_, i64>(last)
            .fetch_one(&shop.admin)
            .await
            .unwrap()
    };
    shop.placed(7).await;
    roll_back().await;
    let (mut stream, first) = listening.connect(&shop, 7, None).await;
    assert_eq!(xmax(&first), last_committed().await + 1);
    shop.placed(7).await;
    roll_back().await;
    assert_eq!(xmax(&stream.next().await), last_committed().await + 1);
}

#[tokio::test]
async fn who_has_more_than_a_thousand_orders_is_told_the_newest_hundred_at_a_resume() {
    let shop = Shop::open().await;
    let listening = Listening::start(&shop).await;
    let (stream, first) = listening.connect(&shop, 7, None).await;
    drop(stream);
    shop.place_many(7, 1_000).await;
    let (_stream, just) = listening.connect(&shop, 7, first["cursor"].as_str()).await;
    assert_eq!((&just["resumed"], told(&just).len()), (&json!(true), 1_000));
    shop.placed(7).await;
    let (_stream, beyond) = listening.connect(&shop, 7, first["cursor"].as_str()).await;
    assert_eq!(
        (&beyond["resumed"], told(&beyond).len()),
        (&json!(false), 100)
    );
    assert_eq!(told(&beyond)[0].0, 1_001, "newest first");
}

#[tokio::test]
async fn changes_committed_while_a_cursor_was_taken_are_told_at_the_resume() {
    let shop = Shop::open().await;
    let listening = Listening::start(&shop).await;
    let mut late = shop.writer.begin().await.unwrap();
    insert_orders(&mut late, 7, 1).await;
    shop.placed(7).await;
    let (stream, first) = listening.connect(&shop, 7, None).await;
    assert_eq!(
        told(&first),
        told_once(2, "NEW", 1),
        "the late one is not there yet"
    );
    drop(stream);
    late.commit().await.unwrap();
    let (_stream, resumed) = listening.connect(&shop, 7, first["cursor"].as_str()).await;
    assert_eq!(told(&resumed), told_once(1, "NEW", 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_comes_and_goes_while_orders_end_sees_no_gap_no_step_back_and_no_repeat() {
    const ORDERS: i64 = 150;
    let shop = Shop::open().await;
    let listening = Listening::start(&shop).await;
    let work = async {
        let mut ids: Vec<OrderId> = Vec::new();
        for index in 0..ORDERS {
            ids.push(shop.placed(7).await);
            if index % 3 == 2 {
                shop.settle(&ids).await;
                ids.clear();
            }
        }
    };
    let watch = async {
        let mut known: HashMap<i64, i64> = HashMap::new();
        let mut cursor: Option<String> = None;
        let done =
            |known: &HashMap<i64, i64>| known.values().filter(|version| **version == 2).count();
        for connection in 0.. {
            let (mut stream, mut frame) = listening.connect(&shop, 7, cursor.as_deref()).await;
            assert_eq!(frame["resumed"], cursor.is_some());
            // Each connection is left after a different number of frames.
            for _ in 0..=connection % 7 {
                for (number, _, version) in told(&frame) {
                    let before = known.insert(number, version);
                    assert!(
                        before.is_none_or(|before| before < version),
                        "order {number} again at {version}"
                    );
                }
                cursor = frame["cursor"].as_str().map(str::to_owned);
                if done(&known) == usize::try_from(ORDERS).unwrap() {
                    return known;
                }
                frame = stream.next().await;
            }
        }
        unreachable!("the loop ends by its return")
    };
    let ((), known) = tokio::join!(work, watch);
    let numbers: Vec<i64> = {
        let mut numbers: Vec<i64> = known.into_keys().collect();
        numbers.sort_unstable();
        numbers
    };
    assert_eq!(numbers, (1..=ORDERS).collect::<Vec<_>>());
}

#[tokio::test]
async fn without_row_level_security_a_socket_still_hears_of_its_user_only() {
    let shop = Shop::open().await;
    shop.damage(
        "alter table orders.orders disable row level security;
        alter table orders.status_history disable row level security",
    )
    .await;
    let listening = Listening::start(&shop).await;
    let (_stream, first) = listening.connect(&shop, 7, None).await;
    shop.place_many(8, 1_001).await;
    for cursor in [None, first["cursor"].as_str()] {
        let (_stream, opening) = listening.connect(&shop, 7, cursor).await;
        assert!(told(&opening).is_empty());
        assert_eq!(
            opening["resumed"],
            cursor.is_some(),
            "what others did makes no cursor old"
        );
    }
}

#[tokio::test]
async fn a_socket_is_told_nothing_before_the_tail_has_its_place() {
    let shop = Shop::open().await;
    let serving = Listening::without_tail(&shop).await;
    shop.placed(7).await;
    let mut request = serving.request("/api/v1/events");
    request
        .headers_mut()
        .insert("authorization", shop.bearer(7).parse().unwrap());
    let mut stream = serving.open(request).await;
    assert_eq!(stream.next_within(SILENCE).await, None);
    let _following = Listening::start(&shop).await;
    assert_eq!(told(&stream.next().await), told_once(1, "NEW", 1));
}
