//! Who acts, when the API server is slow, refuses or loses answers; time is played.

use std::sync::{Arc, Mutex, MutexGuard};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::*;

const NAME: &str = "gozon-operator";

/// An API server that has one lease.
#[derive(Debug, Clone, Default)]
struct Leases(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    holder: String,
    version: u64,
    /// How long a write takes to be answered, once it is done.
    slow: Duration,
    /// So many writes find that somebody else was faster.
    conflicts: usize,
    /// Who gets no answer any more.
    cut_off: Option<String>,
    refuses: bool,
}

impl Leases {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap()
    }

    fn of(&self, identity: &str) -> Leadership {
        let router = axum::Router::new()
            .fallback(answer)
            .with_state((self.clone(), identity.to_owned()));
        let names = (NAME.to_owned(), identity.to_owned());
        let mut registry = prometheus_client::registry::Registry::default();
        let metrics = Metrics::register(&mut registry);
        let client = Client::new(router, "shop");
        Leadership::new(client, names, Contact::default(), metrics)
    }

    fn holder(&self) -> String {
        self.kept().holder.clone()
    }
}

impl Kept {
    fn lease(&self) -> Value {
        json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": NAME, "namespace": "shop", "resourceVersion": self.version.to_string()},
            "spec": {"holderIdentity": self.holder},
        })
    }

    fn answer(&mut self, method: &Method, body: &Value) -> (StatusCode, Value) {
        if self.refuses {
            return failure(StatusCode::FORBIDDEN, "Forbidden");
        }
        if *method == Method::PUT {
            if self.conflicts > 0 {
                self.conflicts -= 1;
                self.version += 1;
            }
            if body["metadata"]["resourceVersion"] != json!(self.version.to_string()) {
                return failure(StatusCode::CONFLICT, "Conflict");
            }
            self.version += 1;
            body["spec"]["holderIdentity"]
                .as_str()
                .unwrap()
                .clone_into(&mut self.holder);
        }
        (StatusCode::OK, self.lease())
    }
}

fn failure(status: StatusCode, reason: &str) -> (StatusCode, Value) {
    let object = json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "reason": reason, "message": reason,
        "code": status.as_u16(),
    });
    (status, object)
}

async fn answer(
    State((leases, from)): State<(Leases, String)>,
    request: Request<Body>,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let is_cut_off = leases.kept().cut_off.as_ref() == Some(&from);
    if is_cut_off {
        std::future::pending::<()>().await;
    }
    let (status, object) = leases.kept().answer(&parts.method, &body);
    let slow = leases.kept().slow;
    if parts.method == Method::PUT && !slow.is_zero() {
        tokio::time::sleep(slow).await;
    }
    (status, axum::Json(object)).into_response()
}

/// Waits for it, and says how long that took.
async fn timed<T>(wait: impl Future<Output = T>) -> (T, Duration) {
    let begin = Instant::now();
    (wait.await, begin.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_lease_whose_write_is_answered_late_is_held_since_before_it_was_asked_for() {
    let leases = Leases::default();
    leases.kept().slow = Duration::from_secs(4);
    let mut one = leases.of("one");
    let begin = Instant::now();
    let since = one.acquire().await;
    assert_eq!(since, begin);
    leases.kept().cut_off = Some("one".into());
    // Not six seconds from the answer: others count from the write.
    one.keep(since).await;
    assert_eq!(begin.elapsed(), GIVE_UP);
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_not_begun_with_where_its_answer_came_too_late() {
    let leases = Leases::default();
    leases.kept().slow = GIVE_UP + Duration::from_secs(1);
    let mut one = leases.of("one");
    let too_late = tokio::time::timeout(Duration::from_mins(1), one.acquire()).await;
    assert!(too_late.is_err());
    leases.kept().slow = Duration::ZERO;
    one.acquire().await;
}

#[tokio::test(start_paused = true)]
async fn a_conflict_is_looked_at_again_and_the_lease_is_kept_while_nobody_else_has_it() {
    let leases = Leases::default();
    let mut one = leases.of("one");
    let since = one.acquire().await;
    leases.kept().conflicts = 3;
    let kept = tokio::time::timeout(Duration::from_secs(30), one.keep(since)).await;
    assert!(kept.is_err(), "given up");
    assert_eq!(
        (leases.holder().as_str(), leases.kept().conflicts),
        ("one", 0)
    );
    // One that another has taken meanwhile is not.
    let since = one.acquire().await;
    {
        let mut kept = leases.kept();
        kept.holder = "other".into();
        kept.version += 1;
    }
    let ((), took) = timed(one.keep(since)).await;
    assert!(took <= EVERY, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn one_that_is_cut_off_stops_before_another_begins() {
    let leases = Leases::default();
    let (mut one, mut other) = (leases.of("one"), leases.of("other"));
    // Its last renewal is done at once and answered late: the other counts meanwhile.
    leases.kept().holder = "one".into();
    leases.kept().slow = Duration::from_secs(5);
    let ended = async {
        let since = one.acquire().await;
        leases.kept().slow = Duration::ZERO;
        leases.kept().cut_off = Some("one".into());
        one.keep(since).await;
        Instant::now()
    };
    let began = async {
        while leases.kept().version == 0 {
            tokio::task::yield_now().await;
        }
        other.acquire().await;
        Instant::now()
    };
    let (ended, began) = tokio::join!(ended, began);
    assert!(ended < began);
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_died_is_succeeded_after_its_lease_has_ended() {
    let leases = Leases::default();
    leases.kept().holder = "dead".into();
    let mut other = leases.of("other");
    let (_, took) = timed(other.acquire()).await;
    assert!(took >= LASTS && took <= LASTS + EVERY, "{took:?}");
    assert_eq!(leases.holder(), "other");
}

#[tokio::test(start_paused = true)]
async fn one_that_is_stopped_finishes_and_gives_the_lease_back() {
    let leases = Leases::default();
    let (mut one, mut other) = (leases.of("one"), leases.of("other"));
    let stop = CancellationToken::new();
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let mut begun = Some(begun);
    let finished = Arc::new(Mutex::new(None));
    let work = |stop: CancellationToken| {
        let (begun, finished) = (begun.take(), finished.clone());
        async move {
            begun.unwrap().send(()).unwrap();
            stop.cancelled().await;
            *finished.lock().unwrap() = Some(Instant::now());
        }
    };
    let stopping = async {
        has_begun.await.unwrap();
        assert_eq!(leases.holder(), "one");
        stop.cancel();
    };
    tokio::join!(one.while_held(&stop, work), stopping);
    assert!(finished.lock().unwrap().is_some());
    assert_eq!(leases.holder(), "");
    let (_, took) = timed(other.acquire()).await;
    assert_eq!(took, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn whatever_the_api_server_answers_it_is_there() {
    let leases = Leases::default();
    leases.kept().refuses = true;
    let mut one = leases.of("one");
    assert!(one.contact.check().is_err());
    assert!(one.try_hold().await.is_err());
    one.contact.check().unwrap();
}
