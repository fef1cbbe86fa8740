//! A process asked to stop (SIGTERM) finishes what it has in hand and goes.

use std::time::Duration;

use serde_json::json;
use tests::{
    Customer, Role, Shop,
    customer::{new_key, rub},
    entrance::Call,
    poll_until,
    shop::Layout,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::load::{Load, start_unhealed};

/// The grace period of a process that was not told another one.
const GRACE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_graceful_stop_under_load_loses_nothing_that_was_accepted() {
    let shop = start_unhealed(Layout::Together).await;
    let load = Load::new(&shop.entrance(), 10, 60).await;
    load.survives(&shop, async {
        for percent in [25, 60] {
            load.accepted(percent).await;
            let took = shop.stop(Role::All).await;
            assert!(took < GRACE, "{took:?}");
            shop.start_again(Role::All).await;
        }
    })
    .await;
}

#[tokio::test]
async fn every_role_stops_in_its_grace_period_even_with_idle_clients_holding_on() {
    let shop = Shop::start_separately().await;
    let entrance = shop.entrance();
    let customer = Customer::with_balance(&entrance, 10).await;
    // Sockets that never end by themselves, and keep-alive connections from the requests above.
    let sockets = [customer.follow(None).await, customer.follow(None).await];
    for role in [
        Role::Web,
        Role::Order(1),
        Role::Order(2),
        Role::Payment(1),
        Role::OrdersRelay(1),
        Role::OrdersRelay(2),
        Role::PaymentsRelay(1),
        Role::PaymentsRelay(2),
    ] {
        let took = shop.stop(role).await;
        assert!(took < GRACE, "{role:?}: {took:?}");
    }
    for mut socket in sockets {
        assert!(socket.next().await.is_err(), "the server closed it");
    }
    shop.assert_clean().await;
}

#[tokio::test]
async fn a_request_under_way_when_the_stop_begins_is_answered_and_kept() {
    let shop = start_unhealed(Layout::Together).await;
    let entrance = shop.entrance();
    let customer = Customer::with_balance(&entrance, 100).await;
    let address = entrance.url("/").authority().to_owned();
    let body = json!({"amount": rub(100), "description": "A lamp"}).to_string();
    let request = format!(
        "POST /api/v1/orders HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\nidempotency-key: {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        customer.token,
        new_key(),
        body.len()
    );
    let (most, last) = request.split_at(request.len() - 1);
    let mut connection = TcpStream::connect(&address).await.unwrap();
    connection.write_all(most.as_bytes()).await.unwrap();
    // Whoever connects later is served later: the request above is in the server's hands by now.
    entrance.send(Call::get("/api/v1/session")).await;

    let stopping = shop.stop(Role::All);
    let finishing = async {
        poll_until("the shop takes no new connection", GRACE, async || {
            TcpStream::connect(&address).await.err()
        })
        .await;
        connection.write_all(last.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let (took, answer) = tokio::join!(stopping, finishing);
    assert!(took < GRACE, "{took:?}");
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");

    shop.start_again(Role::All).await;
    let orders = customer.orders().await;
    assert_eq!(orders.len(), 1);
    customer.ended(&orders, GRACE).await;
    assert_eq!(customer.check_books(100).await, 1);
    shop.assert_clean().await;
}
