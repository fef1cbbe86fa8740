//! What the services say, as far as it matters here: what else they say is passed over.

use serde::Deserialize;

/// A service's outbox at an instant.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct OutboxView {
    /// How many events wait.
    pub pending: i64,
    /// How long the oldest of them waits; none when none does.
    pub oldest_seconds: Option<f64>,
    /// The relays that have shown themselves lately.
    pub relays: Vec<RelayView>,
    /// All lanes.
    pub lanes: Vec<Lane>,
}

/// A relay.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct RelayView {
    /// Its name.
    pub name: String,
    /// Seconds since it last showed that it lives.
    pub silent_seconds: f64,
    /// How many events the broker has confirmed to it since it started; a service before this was told does not say.
    #[serde(default, rename = "published_events")]
    pub published: Option<u64>,
    /// How it finds the broker: `ok`, `blocked` or `away`.
    #[serde(default)]
    pub broker: Option<String>,
    /// Seconds since it last told these two.
    #[serde(default)]
    pub told_seconds: Option<f64>,
}

/// A lane.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Lane {
    /// The relay that publishes it.
    pub owner: Option<String>,
    /// Seconds until its lease ends; negative when it has ended.
    pub lease_seconds: Option<f64>,
}

/// A page of dead letters, newest first.
#[derive(Debug, Deserialize)]
pub(super) struct LetterPage {
    pub(super) items: Vec<LetterView>,
    pub(super) by_reason: Vec<CountView>,
    pub(super) next_cursor: Option<i64>,
}

/// A dead letter.
#[derive(Debug, Deserialize)]
pub(super) struct LetterView {
    pub(super) id: i64,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) reason: String,
    pub(super) detail: String,
    pub(super) attempts: i32,
    pub(super) trace_id: Option<String>,
    pub(super) redrive_at: Option<String>,
    #[serde(default)]
    pub(super) redrive_request_id: Option<String>,
}

/// How many letters there are for a reason.
#[derive(Debug, Deserialize)]
pub(super) struct CountView {
    pub(super) letters: i64,
}

/// A page of the operators' log.
#[derive(Debug, Deserialize)]
pub(super) struct OperationPage {
    pub(super) items: Vec<OperationView>,
}

/// A change by an operator.
#[derive(Debug, Deserialize)]
pub(super) struct OperationView {
    pub(super) id: i64,
    progress: Option<ProgressView>,
}

/// What has become of the letters that a redrive marked.
#[derive(Debug, Deserialize)]
struct ProgressView {
    died_again: i64,
}

impl OperationView {
    /// How many of its letters have died again.
    pub(super) fn died_again(&self) -> i64 {
        self.progress
            .as_ref()
            .map_or(0, |progress| progress.died_again)
    }
}
