//! The event stream as server-sent events: what is its own; the frames are the WebSocket's.

use std::time::Duration;

use axum::body::Body;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use tests::poll_until;
use tokio::time::timeout;
use tower::ServiceExt;

use crate::{fixture::Shop, stream::Listening};

const AT_MOST: Duration = Duration::from_secs(5);

/// An open answer.
struct Events {
    body: Body,
    text: String,
}

/// One event.
#[derive(Debug)]
struct Event {
    id: String,
    retry_millis: Option<u64>,
    data: Value,
}

fn request(shop: &Shop, user: i64) -> http::request::Builder {
    Request::get("/api/v1/events")
        .header(header::AUTHORIZATION, shop.bearer(user))
        .header(header::ACCEPT, "text/event-stream")
}

async fn status(shop: &Shop, request: http::request::Builder) -> StatusCode {
    shop.send(request.body(Body::empty()).unwrap()).await.status
}

impl Events {
    async fn open(shop: &Shop, request: http::request::Builder) -> Self {
        let request = request.body(Body::empty()).unwrap();
        let response = shop.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let media_type = &response.headers()[header::CONTENT_TYPE];
        assert_eq!(media_type, "text/event-stream");
        Self {
            body: response.into_body(),
            text: String::new(),
        }
    }

    /// The next event; none when the stream has ended.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let event: String = self.text.drain(..end + 2).collect();
                return Some(Event::parse(&event));
            }
            let frame = timeout(AT_MOST, self.body.frame())
                .await
                .expect("in time")?;
            let bytes = frame.unwrap().into_data().unwrap();
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }
}

impl Event {
    fn parse(text: &str) -> Self {
        let field = |name: &str| {
            let of_line = |line| str::strip_prefix(line, name)?.strip_prefix(": ");
            text.lines().find_map(of_line)
        };
        Self {
            id: field("id").unwrap().to_owned(),
            retry_millis: field("retry").map(|retry| retry.parse().unwrap()),
            data: serde_json::from_str(field("data").unwrap()).unwrap(),
        }
    }

    fn numbers(&self) -> Vec<i64> {
        let orders = self.data["orders"].as_array().unwrap();
        let number = |order: &Value| order["number"].as_i64().unwrap();
        orders.iter().map(number).collect()
    }
}

#[tokio::test]
async fn a_snapshot_then_every_change_each_with_its_cursor_as_id() {
    let shop = Shop::open().await;
    let _following = Listening::start(&shop).await;
    let id = shop.placed(7).await;
    shop.placed(8).await;
    let mut events = Events::open(&shop, request(&shop, 7)).await;
    let first = events.next().await.unwrap();
    assert_eq!(first.data["type"], "snapshot");
    assert_eq!(first.numbers(), [1]);
    let retry = first.retry_millis.unwrap();
    assert!(
        order::limits::EVENTS_RETRY_MILLIS.contains(&retry),
        "{retry}"
    );
    shop.settle(&[id]).await;
    let change = events.next().await.unwrap();
    assert_eq!(change.data["type"], "changes");
    assert_eq!(change.data["orders"][0]["status"], "FINISHED");
    for event in [first, change] {
        assert_eq!(event.data["cursor"], event.id);
    }
}

#[tokio::test]
async fn a_browser_resumes_by_the_id_of_its_last_event_whatever_its_address_says() {
    let shop = Shop::open().await;
    let _following = Listening::start(&shop).await;
    let before = Events::open(&shop, request(&shop, 7)).await.next().await;
    shop.placed(7).await;
    let mut events = Events::open(&shop, request(&shop, 7)).await;
    let last = events.next().await.unwrap();
    shop.placed(7).await;
    drop(events);
    let old = format!("/api/v1/events?cursor={}", before.unwrap().id);
    let again = request(&shop, 7).uri(old).header("last-event-id", last.id);
    let resumed = Events::open(&shop, again).await.next().await.unwrap();
    assert_eq!(resumed.data["resumed"], true);
    assert_eq!(resumed.numbers(), [2]);
}

#[tokio::test]
async fn only_who_asks_for_a_stream_by_name_with_a_session_from_our_page_gets_one() {
    let shop = Shop::open().await;
    let asking = |accept: &str| {
        Request::get("/api/v1/events")
            .header(header::AUTHORIZATION, shop.bearer(7))
            .header(header::ACCEPT, accept)
    };
    for (accept, expected) in [
        ("*/*", StatusCode::NOT_ACCEPTABLE),
        ("application/json", StatusCode::NOT_ACCEPTABLE),
        ("text/event-stream", StatusCode::OK),
        ("text/html, Text/Event-Stream;q=0.5", StatusCode::OK),
    ] {
        let request = asking(accept).body(Body::empty()).unwrap();
        let response = shop.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), expected, "{accept}");
    }
    let nobody = Request::get("/api/v1/events").header(header::ACCEPT, "text/event-stream");
    assert_eq!(status(&shop, nobody).await, StatusCode::UNAUTHORIZED);
    let elsewhere = request(&shop, 7)
        .header(header::HOST, "shop.example")
        .header(header::ORIGIN, "http://evil.example");
    assert_eq!(status(&shop, elsewhere).await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_stream_is_one_of_the_five_of_its_user_until_it_is_left() {
    let shop = Shop::open().await;
    let _following = Listening::start(&shop).await;
    let mut open = Vec::new();
    for _ in 0..5 {
        open.push(Events::open(&shop, request(&shop, 7)).await);
    }
    let sixth = status(&shop, request(&shop, 7)).await;
    assert_eq!(sixth, StatusCode::TOO_MANY_REQUESTS);
    Events::open(&shop, request(&shop, 8)).await;
    open.pop();
    poll_until("a place is free", AT_MOST, async || {
        let request = request(&shop, 7).body(Body::empty()).unwrap();
        let response = shop.router.clone().oneshot(request).await.unwrap();
        (response.status() == StatusCode::OK).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_given_up() {
    let shop = Shop::open().await;
    let _following = Listening::start(&shop).await;
    let mut events = Events::open(&shop, request(&shop, 7)).await;
    events.next().await.unwrap();
    poll_until("the stream is closed", Duration::from_mins(1), async || {
        shop.place_many(7, 5_000).await;
        shop.sockets.is_empty().then_some(())
    })
    .await;
    drop(events);
}

#[tokio::test]
async fn at_a_graceful_stop_streams_end() {
    let shop = Shop::open().await;
    let _following = Listening::start(&shop).await;
    let mut events = Events::open(&shop, request(&shop, 7)).await;
    events.next().await.unwrap();
    shop.stopping.cancel();
    assert!(events.next().await.is_none());
    shop.sockets.close();
    timeout(AT_MOST, shop.sockets.wait()).await.unwrap();
}
