//! The tail: nothing is missed and nothing told twice, whatever commits when and whatever breaks.

use std::{collections::BTreeSet, time::Duration};

use serde_json::Value;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::{
    fixture::{Shop, insert_orders},
    stream::{Listening, Stream},
};

fn numbers(frame: &Value) -> Vec<i64> {
    let orders = frame["orders"].as_array().unwrap();
    orders
        .iter()
        .map(|order| order["number"].as_i64().unwrap())
        .collect()
}

/// Reads frames until this many orders were told.
async fn hear(stream: &mut Stream, orders: usize) -> Vec<i64> {
    let mut heard = Vec::new();
    while heard.len() < orders {
        heard.extend(numbers(&stream.next().await));
    }
    heard
}

#[tokio::test]
async fn a_transaction_that_commits_late_is_not_skipped() {
    let shop = Shop::open().await;
    let listening = Listening::start(&shop).await;
    let (mut stream, _) = listening.connect(&shop, 7, None).await;
    let mut late = shop.writer.begin().await.unwrap();
    insert_orders(&mut late, 7, 1).await;
    shop.placed(7).await;
    assert_eq!(
        hear(&mut stream, 1).await,
        [2],
        "the later one was committed first"
    );
    shop.placed(7).await;
    assert_eq!(hear(&mut stream, 1).await, [3]);
    late.commit().await.unwrap();
    shop.status_bell.ring();
    assert_eq!(hear(&mut stream, 1).await, [1]);
    assert_eq!(
        stream.next_within(Duration::from_millis(700)).await,
        None,
        "nothing is told twice"
    );
}

#[tokio::test]
async fn a_difference_of_several_pages_is_told_whole_and_once() {
    let shop = Shop::open().await;
    let listening = Listening::start(&shop).await;
    let (mut stream, _) = listening.connect(&shop, 7, None).await;
    let mut late = shop.writer.begin().await.unwrap();
    insert_orders(&mut late, 7, 1).await;
    shop.place_many(7, 3_500).await;
    let heard = hear(&mut stream, 3_500).await;
    assert_eq!(
        heard,
        (2..=3_501).collect::<Vec<_>>(),
        "each once, in the order of their commits"
    );
    late.commit().await.unwrap();
    assert_eq!(hear(&mut stream, 1).await, [1]);
}

#[tokio::test]
async fn the_cursor_in_the_middle_of_a_large_difference_loses_nothing() {
    let shop = Shop::open().await;
    let listening = Listening::start(&shop).await;
    let (mut stream, first) = listening.connect(&shop, 7, None).await;
    shop.place_many(7, 900).await;
    let frame = stream.next().await;
    drop(stream);
    let mut seen: BTreeSet<i64> = numbers(&frame).into_iter().collect();
    assert_eq!(seen.len(), 100, "a frame has at most a hundred orders");
    assert_eq!(frame["cursor"], first["cursor"]);
    let (_, resumed) = listening.connect(&shop, 7, frame["cursor"].as_str()).await;
    seen.extend(numbers(&resumed));
    assert_eq!(seen.len(), 900);
}

#[tokio::test]
async fn only_the_last_frame_of_a_difference_moves_the_cursor() {
    let shop = Shop::open().await;
    let listening = Listening::start(&shop).await;
    let (mut stream, first) = listening.connect(&shop, 7, None).await;
    shop.place_many(7, 1_500).await;
    for frame in 1..15 {
        assert_eq!(
            stream.next().await["cursor"],
            first["cursor"],
            "frame {frame}"
        );
    }
    assert_ne!(stream.next().await["cursor"], first["cursor"]);
}

#[tokio::test]
async fn rows_of_a_restored_database_are_not_new_again_and_again() {
    let shop = Shop::open().await;
    shop.place_many(7, 3).await;
    // A dump carries the numbers of another cluster's transactions, and that cluster was older.
    shop.damage(
        "update orders.status_history set xid = (xid::text::bigint + 1000000000)::text::xid8",
    )
    .await;
    let listening = Listening::start(&shop).await;
    let (mut stream, first) = listening.connect(&shop, 7, None).await;
    assert_eq!(numbers(&first).len(), 3);
    shop.placed(7).await;
    assert_eq!(hear(&mut stream, 1).await, [4]);
    assert_eq!(stream.next_within(Duration::from_millis(700)).await, None);
    let (_, resumed) = listening.connect(&shop, 7, first["cursor"].as_str()).await;
    assert_eq!(
        (&resumed["resumed"], numbers(&resumed)),
        (&Value::Bool(true), vec![4])
    );
}

#[tokio::test]
async fn without_a_doorbell_the_poll_finds_the_work() {
    let shop = Shop::open().await;
    let listening = Listening::start(&shop).await;
    let (mut stream, _) = listening.connect(&shop, 7, None).await;
    let mut silent = shop.writer.begin().await.unwrap();
    insert_orders(&mut silent, 7, 1).await;
    silent.commit().await.unwrap();
    assert_eq!(hear(&mut stream, 1).await, [1]);
}

#[tokio::test]
async fn after_an_outage_of_the_database_the_stream_goes_on_without_a_gap() {
    let shop = Shop::open().await;
    let listening = Listening::start(&shop).await;
    let (mut stream, _) = listening.connect(&shop, 7, None).await;
    for round in 1..=3 {
        shop.wire.cut();
        // Another replica's connections are alive: what it commits meanwhile must be told.
        shop.place_many(7, 1).await;
        shop.wire.restore();
        assert_eq!(hear(&mut stream, 1).await, [round]);
    }
}

#[tokio::test]
async fn when_the_tail_loses_its_place_every_socket_starts_over() {
    let shop = Shop::open().await;
    let listening = Listening::start(&shop).await;
    let (mut stream, _) = listening.connect(&shop, 7, None).await;
    // A second tail has no place yet, as the first one has none after its database was restored.
    let _second = Listening::start(&shop).await;
    assert_eq!(stream.close_code().await, Some(CloseCode::Again));
}
