//! `GET /ops/v1/{service}/outbox`: what waits to be published, in which lane, and who is to publish it.

use axum::extract::State;
use chassis::{Problem, extract::Json, identity::Operator};
use messaging::outbox;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::{OpsState, error::Error};

/// A service's outbox at an instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct OutboxStatus {
    /// How many events wait to be published, or were not yet written back as published.
    pub(crate) pending: i64,
    /// Whether more may wait than were counted: at most 100,000 rows are looked at.
    pub(crate) pending_is_capped: bool,
    /// How long the oldest of them waits; null when none does.
    #[schema(required)]
    pub(crate) oldest_seconds: Option<f64>,
    /// How many events are parked, because they can never be sent, and the later events of their orders with them. At most
    /// 100,000 are counted.
    pub(crate) parked: i64,
    /// How long ago the first of them was parked; null when none is.
    #[schema(required)]
    pub(crate) parked_oldest_seconds: Option<f64>,
    /// How many days ahead there are partitions for; null when there is none at all.
    #[schema(required)]
    pub(crate) partition_days_ahead: Option<i32>,
    /// The relays of this outbox that have shown themselves within the last hour.
    pub(crate) relays: Vec<RelayStatus>,
    /// All lanes, by number.
    pub(crate) lanes: Vec<LaneStatus>,
}

/// A relay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = OutboxRelayStatus)]
pub(crate) struct RelayStatus {
    /// Its name.
    pub(crate) name: String,
    /// Seconds since it last showed that it lives; beyond 3 it counts as gone. One that has no lanes and does not reach the
    /// broker does not count either: see `broker` and `told_seconds`.
    pub(crate) silent_seconds: f64,
    /// How many lanes it owns.
    pub(crate) lanes: usize,
    /// How many events the broker has confirmed to it since it started: it only grows while the relay lives.
    #[serde(default)]
    pub(crate) published_events: i64,
    /// How it finds the broker; null if it is of a version that does not say.
    #[serde(default)]
    #[schema(required)]
    pub(crate) broker: Option<BrokerState>,
    /// Seconds since it told the two; null if it is of a version that does not say.
    #[serde(default)]
    #[schema(required)]
    pub(crate) told_seconds: Option<f64>,
}

/// The broker as a relay finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BrokerState {
    /// It takes what is published.
    Ok,
    /// It asked to pause: it runs out of memory or disk.
    Blocked,
    /// There is no connection to it.
    Away,
}

impl BrokerState {
    /// Its name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Blocked => "blocked",
            Self::Away => "away",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        let mut all = [Self::Ok, Self::Blocked, Self::Away].into_iter();
        all.find(|state| state.as_str() == name)
    }
}

/// A lane: a 64th of the outbox, published by one relay at a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = OutboxLaneStatus)]
pub(crate) struct LaneStatus {
    /// Its number, 0 to 63.
    pub(crate) lane: i16,
    /// The relay that publishes it; null when nobody does.
    #[schema(required)]
    pub(crate) owner: Option<String>,
    /// Seconds until its lease ends unless renewed; negative when it has ended.
    #[schema(required)]
    pub(crate) lease_seconds: Option<f64>,
    /// How often it has changed its owner.
    pub(crate) epoch: i64,
    /// How many of its events wait.
    pub(crate) pending: i64,
    /// How long the oldest of them waits; null when none does.
    #[schema(required)]
    pub(crate) oldest_seconds: Option<f64>,
}

impl From<outbox::Status> for OutboxStatus {
    fn from(status: outbox::Status) -> Self {
        let age = |instant: OffsetDateTime| (status.now - instant).as_seconds_f64();
        Self {
            pending: status.pending(),
            pending_is_capped: status.capped,
            oldest_seconds: status.oldest().map(age),
            parked: status.parked,
            parked_oldest_seconds: status.parked_since.map(age),
            partition_days_ahead: status.partition_days_ahead,
            relays: status
                .relays
                .iter()
                .map(|relay| RelayStatus {
                    lanes: status
                        .lanes
                        .iter()
                        .filter(|lane| lane.owner.as_deref() == Some(&relay.name))
                        .count(),
                    name: relay.name.clone(),
                    silent_seconds: age(relay.heartbeat),
                    published_events: relay.published,
                    broker: relay.broker.as_deref().and_then(BrokerState::parse),
                    told_seconds: relay.told_at.map(age),
                })
                .collect(),
            lanes: status
                .lanes
                .iter()
                .map(|lane| LaneStatus {
                    lane: lane.lane,
                    owner: lane.owner.clone(),
                    lease_seconds: lane.lease_until.map(|until| -age(until)),
                    epoch: lane.epoch,
                    pending: lane.pending,
                    oldest_seconds: lane.oldest.map(age),
                })
                .collect(),
        }
    }
}

/// Look at the outbox
///
/// What waits to be published, and who is to publish it. It costs at most a look at 100,000 rows.
#[utoipa::path(
    get,
    path = "/outbox",
    tag = "operators",
    security(("session" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "The outbox", body = OutboxStatus),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`: not an operator", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn read_outbox(
    State(state): State<OpsState>,
    _: Operator,
) -> Result<Json<OutboxStatus>, Error> {
    let mut connection = state.pool.acquire().await?;
    Ok(Json(outbox::status(&mut connection).await?.into()))
}
