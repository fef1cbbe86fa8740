//! How sockets are refused and how they end.

use std::time::Duration;

use http::StatusCode;
use tests::poll_until;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::{fixture::Shop, stream::Listening};

#[tokio::test]
async fn an_upgrade_without_a_session_or_from_another_site_is_refused() {
    let shop = Shop::open().await;
    let listening = Listening::start(&shop).await;
    let path = "/api/v1/events";
    assert_eq!(
        listening.refusal(listening.request(path)).await,
        StatusCode::UNAUTHORIZED
    );
    let cookie = format!(
        "gozon_session={}",
        shop.bearer(7).trim_start_matches("Bearer ")
    );
    for origin in ["http://evil.example", "null", "http://localhost:1"] {
        let mut request = listening.request(path);
        request
            .headers_mut()
            .insert("cookie", cookie.parse().unwrap());
        request
            .headers_mut()
            .insert("origin", origin.parse().unwrap());
        assert_eq!(
            listening.refusal(request).await,
            StatusCode::FORBIDDEN,
            "{origin}"
        );
    }
    let mut own = listening.request(path);
    own.headers_mut().insert("cookie", cookie.parse().unwrap());
    own.headers_mut().insert(
        "origin",
        format!("http://{}", listening.host()).parse().unwrap(),
    );
    assert!(tokio_tungstenite::connect_async(own).await.is_ok());
}

#[tokio::test]
async fn a_sixth_socket_is_refused_until_one_is_closed() {
    let shop = Shop::open().await;
    let listening = Listening::start(&shop).await;
    let mut open = Vec::new();
    for _ in 0..5 {
        open.push(listening.connect(&shop, 7, None).await);
    }
    let sixth = || {
        let mut request = listening.request("/api/v1/events");
        request
            .headers_mut()
            .insert("authorization", shop.bearer(7).parse().unwrap());
        request
    };
    assert_eq!(
        listening.refusal(sixth()).await,
        StatusCode::TOO_MANY_REQUESTS
    );
    listening.connect(&shop, 8, None).await;
    open.pop();
    poll_until(
        "the closed socket's place is free",
        Duration::from_secs(5),
        async || tokio_tungstenite::connect_async(sixth()).await.ok(),
    )
    .await;
}

#[tokio::test]
async fn a_message_over_four_kibibytes_ends_the_socket_and_a_smaller_one_does_not() {
    let shop = Shop::open().await;
    let listening = Listening::start(&shop).await;
    let (mut stream, _) = listening.connect(&shop, 7, None).await;
    stream.say("x".repeat(4 * 1024)).await;
    shop.placed(7).await;
    assert_eq!(stream.next().await["orders"][0]["number"], 1);
    stream.say("x".repeat(4 * 1024 + 1)).await;
    assert_ne!(stream.close_code().await, Some(CloseCode::Normal));
    poll_until(
        "the socket is forgotten",
        Duration::from_secs(5),
        async || shop.sockets.is_empty().then_some(()),
    )
    .await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_given_up() {
    let shop = Shop::open().await;
    let listening = Listening::start(&shop).await;
    let (stream, _) = listening.connect(&shop, 7, None).await;
    poll_until("the socket is closed", Duration::from_mins(1), async || {
        shop.place_many(7, 5_000).await;
        shop.sockets.is_empty().then_some(())
    })
    .await;
    drop(stream);
}

#[tokio::test]
async fn at_a_graceful_stop_sockets_are_told_to_come_again() {
    let shop = Shop::open().await;
    let listening = Listening::start(&shop).await;
    let (mut stream, _) = listening.connect(&shop, 7, None).await;
    shop.stopping.cancel();
    assert_eq!(stream.close_code().await, Some(CloseCode::Again));
    shop.sockets.close();
    tokio::time::timeout(Duration::from_secs(5), shop.sockets.wait())
        .await
        .unwrap();
}
