//! What a customer sees without asking: no gap, no step back, no repeat.

use std::time::Duration;

use futures_util::SinkExt;
use tests::{
    Customer, Original, Shop,
    customer::Order,
    follow::{Screen, next_text, open_socket},
};
use tokio_tungstenite::tungstenite::Message;

const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_decision_reaches_the_socket_by_itself() {
    let shop = Shop::shared().await;
    let customer = Customer::with_balance(&shop.entrance(), 100).await;
    let mut socket = customer.follow(None).await;
    assert!(!socket.resumed);
    assert_eq!(socket.snapshot, []);
    let order = customer.place(100).await;
    let ended = socket.ended(order.id).await;
    assert_eq!((ended.status.as_str(), ended.version), ("FINISHED", 2));
    assert_eq!(ended, customer.order(order.id).await);
}

#[tokio::test]
async fn a_new_socket_begins_with_the_newest_hundred_orders() {
    let shop = Shop::shared().await;
    let customer = Customer::new(&shop.entrance()).await;
    let mut placed = Vec::new();
    for _ in 0..105 {
        placed.push(customer.place(1).await);
    }
    customer.ended(&placed, SOON).await;
    let socket = customer.follow(None).await;
    let mut shown: Vec<_> = socket.snapshot.iter().map(|order| order.number).collect();
    shown.sort_unstable();
    let newest: Vec<_> = placed[5..].iter().map(|order| order.number).collect();
    assert_eq!(shown, newest);
    assert!(socket.snapshot.iter().all(Order::has_ended));
}

#[tokio::test]
async fn a_socket_dropped_and_resumed_while_orders_end_has_no_gap_no_step_back_and_no_repeat() {
    const ORDERS: usize = 60;
    let shop = Shop::shared().await;
    let topped_up = i64::try_from(ORDERS / 2).unwrap();
    let customer = Customer::with_balance(&shop.entrance(), topped_up).await;
    let first = customer.follow(None).await;
    let mut cursor = first.cursor.clone();
    drop(first);

    let placing = async {
        let mut placed = Vec::new();
        for _ in 0..ORDERS {
            placed.push(customer.place(1).await);
        }
        placed
    };
    let following = async {
        let mut screen = Screen::default();
        let mut sockets = 0;
        // Each socket lives for one change; what happens between two sockets must come with the next one's start.
        while screen.ended() < ORDERS {
            sockets += 1;
            assert!(sockets <= 4 * ORDERS, "the screen does not become complete");
            let mut socket = customer.follow(Some(&cursor)).await;
            assert!(socket.resumed, "the cursor is young enough to go on from");
            screen.show(std::mem::take(&mut socket.snapshot));
            if screen.ended() < ORDERS {
                screen.show(socket.next().await.unwrap());
            }
            cursor.clone_from(&socket.cursor);
        }
        screen
    };
    let (placed, screen) = tokio::time::timeout(SOON, async { tokio::join!(placing, following) })
        .await
        .expect("the screen becomes complete in time");

    for order in &placed {
        let now = customer.order(order.id).await;
        assert_eq!(screen.order(order.id), Some(&now));
        let shown: Vec<_> = screen.shown[&order.id].iter().map(String::as_str).collect();
        let end = now.status.as_str();
        assert!(
            shown == ["NEW", end] || shown == [end],
            "order {}: {shown:?}",
            order.number
        );
    }
    assert_eq!(screen.shown.len(), ORDERS);

    // Whoever was away while nothing happened misses nothing and gets nothing again.
    let socket = customer.follow(Some(&cursor)).await;
    let mut screen = screen;
    let before = screen.shown.clone();
    screen.show(socket.snapshot);
    assert_eq!(screen.shown, before);
}

#[tokio::test]
async fn an_unknown_cursor_starts_from_the_beginning() {
    let shop = Shop::shared().await;
    let customer = Customer::new(&shop.entrance()).await;
    let order = customer.place(1).await;
    for cursor in ["", "nonsense", "0", "../..", "AAAAAAAAAAAAAAAAAAAA"] {
        let socket = customer.follow(Some(cursor)).await;
        assert!(!socket.resumed, "{cursor:?}");
        assert_eq!(socket.snapshot.len(), 1, "{cursor:?}");
        assert_eq!(socket.snapshot[0].id, order.id, "{cursor:?}");
    }
}

#[tokio::test]
async fn five_sockets_of_one_user_all_hear_of_it() {
    let shop = Shop::shared().await;
    let customer = Customer::with_balance(&shop.entrance(), 1).await;
    let mut sockets = Vec::new();
    for _ in 0..5 {
        sockets.push(customer.follow(None).await);
    }
    let order = customer.place(1).await;
    for socket in &mut sockets {
        assert_eq!(socket.ended(order.id).await.status, "FINISHED");
    }
}

#[tokio::test]
async fn a_client_that_talks_too_much_loses_its_own_socket_only() {
    let shop = Shop::shared().await;
    let entrance = shop.entrance();
    let customer = Customer::with_balance(&entrance, 1).await;
    let mut quiet = customer.follow(None).await;
    let bearer = format!("Bearer {}", customer.token);
    let url = entrance.url("/api/v1/events");
    let mut loud = open_socket(url, &[("authorization", &bearer)])
        .await
        .unwrap();
    next_text(&mut loud).await.unwrap();
    // The server may close while this is still being written.
    loud.send(Message::text("x".repeat(1 << 20))).await.ok();
    assert!(next_text(&mut loud).await.is_err());
    let order = customer.place(1).await;
    assert_eq!(quiet.ended(order.id).await.status, "FINISHED");
}

#[tokio::test]
async fn the_originals_socket_tells_decisions_at_both_paths() {
    let shop = Shop::shared().await;
    let user = Original::new(&shop.entrance());
    let mut first = user.socket("/ws").await;
    let mut second = user.socket("/api/orders/ws").await;
    let number = user.order("1").await;
    for socket in [&mut first, &mut second] {
        assert_eq!(
            socket.next().await,
            serde_json::json!({"order_id": number, "status": "CANCELLED", "user_id": user.user_id})
        );
    }
}
