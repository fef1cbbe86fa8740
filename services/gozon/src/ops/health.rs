//! `GET /ops/v1/{service}/health`: what this service leans on, who works for it, and how full its queue is.

use std::time::Instant;

use axum::extract::State;
use chassis::{Problem, extract::Json, identity::Operator};
use messaging::consumers::{self, ConsumerStatus};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{OpsState, Service, error::Error};

/// How a service is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct ServiceHealth {
    /// The service.
    pub(crate) service: Service,
    /// The version of the replica that answers.
    pub(crate) version: String,
    /// How long its database took to answer, in milliseconds. Without a database the answer is `unavailable`.
    pub(crate) database_milliseconds: f64,
    /// Why the broker does not answer; null if it does.
    #[schema(required)]
    pub(crate) broker_problem: Option<String>,
    /// How full the queue is that the service consumes, and what the broker gave up delivering from it. Empty while the
    /// broker does not answer.
    pub(crate) queues: Vec<Depth>,
    /// The consumers of the queue, in whichever process, as they told of themselves within the last hour.
    pub(crate) consumers: Vec<QueueConsumer>,
    /// For how many seconds some replica is still the reconciler; null while none is, and of the payment service.
    #[schema(required)]
    pub(crate) reconciler_lease_seconds: Option<f64>,
}

/// A queue of the broker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = QueueDepth)]
pub(crate) struct Depth {
    /// Its name.
    pub(crate) queue: String,
    /// Messages that wait to be delivered.
    pub(crate) ready: u32,
    /// Who consumes it, as the broker says.
    pub(crate) consumers: u32,
}

/// A process' consumer, as it last told of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct QueueConsumer {
    /// Its name.
    pub(crate) name: String,
    /// Seconds since it told; it tells every five.
    pub(crate) told_seconds: f64,
    /// Whether it has a connection to the broker.
    pub(crate) connected: bool,
    /// Whether it takes nothing because its database is away.
    pub(crate) paused: bool,
    /// Deliveries it has taken up and not acknowledged.
    pub(crate) unacknowledged: i64,
    /// Events it has settled since it started.
    pub(crate) fresh: i64,
    /// Events that had been settled before.
    pub(crate) duplicates: i64,
    /// Events it put off.
    pub(crate) deferred: i64,
    /// Dead letters it wrote.
    pub(crate) dead_letters: i64,
}

impl QueueConsumer {
    fn new(told: ConsumerStatus, now: time::OffsetDateTime) -> Self {
        Self {
            name: told.name,
            told_seconds: (now - told.told_at).as_seconds_f64(),
            connected: told.connected,
            paused: told.paused,
            unacknowledged: told.unacknowledged,
            fresh: told.fresh,
            duplicates: told.duplicates,
            deferred: told.deferred,
            dead_letters: told.dead_letters,
        }
    }
}

/// Look at a service's health
///
/// Its database, the broker, its queue, and the processes that consume it.
#[utoipa::path(
    get,
    path = "/health",
    tag = "operators",
    security(("session" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "How the service is", body = ServiceHealth),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`: not an operator", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`: its database is away", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn read_health(
    State(state): State<OpsState>,
    _: Operator,
) -> Result<Json<ServiceHealth>, Error> {
    let (looked, rows) = tokio::join!(state.queue.look(), rows(&state));
    let (database_milliseconds, consumers, reconciler_lease_seconds) = rows?;
    let (queues, broker_problem) = match looked {
        Ok(depths) => (depths, None),
        Err(error) => (Vec::new(), Some(chassis::chain(&error).to_string())),
    };
    Ok(Json(ServiceHealth {
        service: state.service(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        database_milliseconds,
        broker_problem,
        queues: queues
            .into_iter()
            .map(|depth| Depth {
                queue: depth.queue.to_owned(),
                ready: depth.ready,
                consumers: depth.consumers,
            })
            .collect(),
        consumers,
        reconciler_lease_seconds,
    }))
}

async fn rows(state: &OpsState) -> Result<(f64, Vec<QueueConsumer>, Option<f64>), sqlx::Error> {
    let begun = Instant::now();
    let mut connection = state.pool.acquire().await?;
    let told = consumers::list(&mut connection).await?;
    let milliseconds = begun.elapsed().as_secs_f64() * 1_000.0;
    let lease = match state.service() {
        Service::Order => order::reconcile::lease_seconds(&mut connection).await?,
        Service::Payment => None,
    };
    let now = time::OffsetDateTime::now_utc();
    let told = told.into_iter().map(|it| QueueConsumer::new(it, now));
    Ok((milliseconds, told.collect(), lease))
}
