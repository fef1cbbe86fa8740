//! An API server that keeps objects by their paths, and refuses what names a version that is no longer.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{Method, StatusCode};
use serde_json::{Value, json};

#[derive(Debug, Clone, Default)]
pub(super) struct ApiServer(Arc<Mutex<World>>);

#[derive(Debug, Default)]
struct World {
    objects: BTreeMap<String, Value>,
    version: u64,
    calls: Vec<(Method, String)>,
    events: Vec<String>,
    write_between: Option<String>,
}

impl ApiServer {
    pub(super) fn client(&self) -> kube::Client {
        let router = axum::Router::new()
            .fallback(answer)
            .with_state(self.clone());
        kube::Client::new(router, "shop")
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    pub(super) fn put(&self, path: &str, kind: &str, mut object: Value) {
        let mut world = self.world();
        let api = if kind == "Scale" {
            "autoscaling/v1"
        } else {
            "gozon.io/v1alpha1"
        };
        object["apiVersion"] = api.into();
        object["kind"] = kind.into();
        let name = path.trim_end_matches("/scale").rsplit('/').next();
        object["metadata"] = json!({
            "name": name, "namespace": "shop", "generation": 1, "uid": "0191e0a4-0000-7000-8000-000000000001",
        });
        world.write(path, object);
    }

    pub(super) fn get(&self, path: &str) -> Value {
        self.world().objects[path].clone()
    }

    pub(super) fn remove(&self, path: &str) {
        self.world().objects.remove(path);
    }

    pub(super) fn change(&self, path: &str, change: impl FnOnce(&mut Value)) {
        let mut world = self.world();
        let mut object = world.objects[path].clone();
        change(&mut object);
        world.write(path, object);
    }

    /// After the next read of an object somebody else writes it.
    pub(super) fn write_between(&self, path: &str) {
        self.world().write_between = Some(path.into());
    }

    pub(super) fn calls(&self, method: &str, path: &str) -> usize {
        let world = self.world();
        let calls = world.calls.iter();
        calls
            .filter(|call| call.0 == method && call.1 == path)
            .count()
    }

    /// The reasons of the events that were told.
    pub(super) fn events(&self) -> Vec<String> {
        self.world().events.clone()
    }
}

impl World {
    fn write(&mut self, path: &str, mut object: Value) {
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        self.objects.insert(path.into(), object);
    }

    fn answer(&mut self, method: &Method, path: &str, body: &Value) -> (StatusCode, Value) {
        self.calls.push((method.clone(), path.into()));
        if *method == Method::POST {
            self.events.push(body["reason"].as_str().unwrap().into());
            return (StatusCode::CREATED, body.clone());
        }
        if path.ends_with("/outboxrelays") {
            let below = |(at, _): &(&String, &Value)| at.starts_with(&format!("{path}/"));
            let items: Vec<_> = self
                .objects
                .iter()
                .filter(below)
                .map(|(_, item)| item)
                .collect();
            let kind = "OutboxRelayList";
            let list = json!({"apiVersion": "gozon.io/v1alpha1", "kind": kind, "metadata": {}, "items": items});
            return (StatusCode::OK, list);
        }
        let of = path.strip_suffix("/status").unwrap_or(path);
        let Some(mut object) = self.objects.get(of).cloned() else {
            return failure(StatusCode::NOT_FOUND, "NotFound");
        };
        match method.as_str() {
            "GET" => {
                if self.write_between.as_deref() == Some(of) {
                    self.write_between = None;
                    self.write(of, object.clone());
                }
            }
            "DELETE" => {
                self.objects.remove(of);
            }
            _ => {
                let version = &body["metadata"]["resourceVersion"];
                if !version.is_null() && *version != object["metadata"]["resourceVersion"] {
                    return failure(StatusCode::CONFLICT, "Conflict");
                }
                let part = if path == of { "spec" } else { "status" };
                object[part] = body[part].clone();
                self.write(of, object.clone());
            }
        }
        (StatusCode::OK, object)
    }
}

fn failure(status: StatusCode, reason: &str) -> (StatusCode, Value) {
    let object = json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "reason": reason, "message": reason,
        "code": status.as_u16(),
    });
    (status, object)
}

async fn answer(State(server): State<ApiServer>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let (status, object) = server
        .world()
        .answer(&parts.method, parts.uri.path(), &body);
    (status, axum::Json(object)).into_response()
}
