//! The two services' operators' API, played.

use std::sync::{Arc, Mutex, MutexGuard};

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::StatusCode;
use serde_json::{Value, json};

use crate::ops::Addresses;

#[derive(Debug, Clone, Default)]
pub(super) struct Services(Arc<Mutex<Said>>);

#[derive(Debug, Default)]
struct Said {
    outbox: Option<(i64, f64, String)>,
    letters: Vec<i64>,
    asked: Vec<Value>,
    fails_with: Option<u16>,
    answers_lost: usize,
    taken_back: usize,
    speaks_otherwise: bool,
}

impl Services {
    fn said(&self) -> MutexGuard<'_, Said> {
        self.0.lock().unwrap()
    }

    /// Serves until the test ends.
    pub(super) async fn addresses(&self) -> Addresses {
        let router = Router::new()
            .route("/ops/v1/{service}/outbox", get(outbox))
            .route("/ops/v1/{service}/operations", get(operations))
            .route("/ops/v1/{service}/dead-letters", get(letters))
            .route("/ops/v1/{service}/dead-letters/redrive", post(redrive))
            .route(
                "/ops/v1/{service}/dead-letters/cancel-redrive",
                post(take_back),
            )
            .with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url: url::Url = format!("http://{}", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Addresses {
            order: url.clone(),
            payment: url,
        }
    }

    pub(super) fn outbox(&self, pending: i64, oldest: f64, broker: &str) {
        self.said().outbox = Some((pending, oldest, broker.into()));
    }

    pub(super) fn letters(&self, ids: &[i64]) {
        self.said().letters = ids.to_vec();
    }

    pub(super) fn fail_with(&self, status: Option<u16>) {
        self.said().fails_with = status;
    }

    /// Whatever is asked is answered by something else that lives at that address.
    pub(super) fn speak_otherwise(&self, otherwise: bool) {
        self.said().speaks_otherwise = otherwise;
    }

    /// How often a redrive was taken back.
    pub(super) fn taken_back(&self) -> usize {
        self.said().taken_back
    }

    /// So many redrives are done and not answered.
    pub(super) fn lose_answers(&self, count: usize) {
        self.said().answers_lost = count;
    }

    pub(super) fn asked(&self) -> Vec<Value> {
        self.said().asked.clone()
    }
}

impl Said {
    fn answer(&self, body: Value) -> Response {
        if self.speaks_otherwise {
            return "<html>".into_response();
        }
        match self.fails_with {
            Some(status) => {
                let status = StatusCode::from_u16(status).unwrap();
                let problem = json!({"title": "No", "code": "limit_out_of_range"});
                (status, Json(problem)).into_response()
            }
            None => Json(body).into_response(),
        }
    }
}

async fn outbox(State(services): State<Services>) -> Response {
    let said = services.said();
    let (pending, oldest, broker) = said.outbox.clone().unwrap_or((0, 0.0, "ok".into()));
    let relay = |name: &str| json!({"name": name, "silent_seconds": 0.5, "lanes": 32, "published_events": 7, "broker": broker, "told_seconds": 0.5});
    said.answer(json!({
        "pending": pending,
        "oldest_seconds": oldest,
        "relays": [relay("a"), relay("b")],
        "lanes": (0..64).map(|lane| json!({"lane": lane, "owner": "a", "lease_seconds": 2.0})).collect::<Vec<_>>(),
    }))
}

async fn letters(State(services): State<Services>) -> Response {
    let said = services.said();
    let is_marked = !said.asked.is_empty();
    let letter = |id: &i64| {
        let at = is_marked.then_some("2026-01-01T00:00:00Z");
        let request = said.asked.first().map(|asked| &asked["request_id"]);
        json!({"id": id, "type": null, "reason": "unknown_order", "detail": "none", "attempts": 1, "trace_id": null, "redrive_at": at, "redrive_request_id": request})
    };
    let items: Vec<_> = said.letters.iter().rev().map(letter).collect();
    let by_reason = json!([{"letters": said.letters.len()}]);
    said.answer(json!({"items": items, "by_reason": by_reason, "next_cursor": null}))
}

/// Until the answers come the log is that of a replica that lags behind: only the request's own id saves what follows.
async fn operations(State(services): State<Services>) -> Response {
    let said = services.said();
    let has_it = !said.asked.is_empty() && said.answers_lost == 0;
    let items = if has_it {
        json!([{"id": 73}])
    } else {
        json!([])
    };
    said.answer(json!({"items": items}))
}

async fn redrive(State(services): State<Services>, Json(body): Json<Value>) -> Response {
    let mut said = services.said();
    said.asked.push(body);
    if said.answers_lost > 0 {
        said.answers_lost -= 1;
        return StatusCode::BAD_GATEWAY.into_response();
    }
    said.answer(json!({}))
}

async fn take_back(State(services): State<Services>, Json(body): Json<Value>) -> Response {
    let mut said = services.said();
    // What it takes back is what it asked for.
    assert_eq!(said.asked[0]["request_id"], body["request_id"]);
    said.taken_back += 1;
    Json(json!({})).into_response()
}
