//! `Redrive`: dead letters that a service is to settle again, once.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, Service};

/// Which dead letters are settled again, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "gozon.io",
    version = "v1alpha1",
    kind = "Redrive",
    namespaced,
    shortname = "rdr",
    category = "gozon",
    status = "RedriveStatus",
    derive = "PartialEq",
    doc = "Dead letters that a service settles again. It runs once, stops where a letter dies again, and is removed after a time to live.",
    printcolumn(
        name = "Service",
        type_ = "string",
        json_path = ".spec.service",
        description = "Whose dead letters"
    ),
    printcolumn(
        name = "Dry run",
        type_ = "boolean",
        json_path = ".spec.dryRun",
        description = "Whether it only counts"
    ),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(
        name = "Matched",
        type_ = "integer",
        json_path = ".status.matched",
        description = "How many letters the filter meant"
    ),
    printcolumn(
        name = "Done",
        type_ = "integer",
        json_path = ".status.done",
        description = "How many are dead letters no more"
    ),
    printcolumn(
        name = "Died again",
        type_ = "integer",
        json_path = ".status.diedAgain",
        description = "How many failed again"
    ),
    printcolumn(
        name = "Left",
        type_ = "integer",
        json_path = ".status.left",
        description = "How many were not tried, or not yet"
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = r#".status.conditions[?(@.status=="True")].message"#,
        description = "How it ended, or what it waits for",
        priority = "1"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self == oldSelf")
        .message("a Redrive cannot be changed once it exists, for it runs once: create another one")
)]
pub struct RedriveSpec {
    /// Whose dead letters: `order` or `payment`.
    pub service: Service,
    /// Which of them: those that meet every condition that is set; all where none is.
    #[serde(default)]
    pub filter: RedriveFilter,
    /// How many letters at most, the oldest first. Letters, 1 to 1000; default 100.
    #[serde(default = "RedriveSpec::default_limit")]
    #[x_kube(validation = Rule::new("self >= 1 && self <= 1000")
        .message("limit is not between 1 and 1000 letters: a larger heap takes several Redrives"))]
    pub limit: i32,
    /// How many letters are settled again per second. Letters per second, 1 to 1000; default 10.
    #[serde(default = "RedriveSpec::default_rate")]
    #[x_kube(validation = Rule::new("self >= 1 && self <= 1000")
        .message("ratePerSecond is not between 1 and 1000 letters per second"))]
    pub rate_per_second: i32,
    /// Only count and show what it would do, and change nothing. Default false.
    #[serde(default)]
    pub dry_run: bool,
    /// Who asks, and why, in your words: for the service's operators' log, where it stands beside the name of the resource.
    /// Kubernetes itself keeps who made a resource in its audit log alone. At most 500 characters; default: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self.size() >= 1 && self.size() <= 500")
        .message("reason is not between 1 and 500 characters"))]
    #[schemars(extend("maxLength" = 2000))]
    pub reason: Option<String>,
    /// How long the resource stays after it has ended. Seconds, 60 to 2592000 (30 days); default 86400, a day.
    #[serde(default = "RedriveSpec::default_ttl")]
    #[x_kube(validation = Rule::new("self >= 60 && self <= 2592000")
        .message("ttlSecondsAfterFinished is not between 60 seconds and 2592000 seconds, 30 days"))]
    pub ttl_seconds_after_finished: i32,
}

impl RedriveSpec {
    fn default_limit() -> i32 {
        100
    }
    fn default_rate() -> i32 {
        10
    }
    fn default_ttl() -> i32 {
        86_400
    }
}

/// Which dead letters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RedriveFilter {
    /// Only those of this queue, as `gozon dead-letters` lists it. Default: all of the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub queue: Option<String>,
    /// Only those that died for this reason, as `unknown_order`. Default: whatever the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self in ['malformed', 'content_type', 'event_id', 'unknown_type', 'invalid', 'conflict', 'unknown_order', 'too_large', 'database', 'broker', 'exhausted']")
        .message("filter.reason is none of malformed, content_type, event_id, unknown_type, invalid, conflict, unknown_order, too_large, database, broker, exhausted"))]
    #[schemars(length(max = 255))]
    pub reason: Option<String>,
    /// Only events of this type, as `payment.captured.v1`. Default: whatever the type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub kind: Option<String>,
    /// Only those that have been dead letters for at least this long. Seconds; default: however young.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self >= 0").message("filter.minAgeSeconds is below 0"))]
    pub min_age_seconds: Option<i32>,
    /// Only these, by the numbers that `gozon dead-letters` lists. At most 1000; default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(
        merge_strategy = ListMerge::Atomic,
        validation = Rule::new("self.size() <= 1000 && self.all(id, id >= 1)")
            .message("filter.ids are not at most 1000 numbers of dead letters, each 1 or more")
    )]
    #[schemars(extend("maxItems" = 2000))]
    pub ids: Vec<i64>,
}

/// How far it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RedriveStatus {
    /// The generation of the resource that was acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Chosen`: the letters are written down below, and the service may have been asked already. `Running`: the service has
    /// been asked. `Stopping`: what is not settled yet is being taken back. `Complete` and `Failed` are the ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// How many letters the filter meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matched: Option<i64>,
    /// How many of the chosen letters are dead letters no more: settled, or discarded meanwhile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done: Option<i64>,
    /// How many of the chosen letters failed again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub died_again: Option<i64>,
    /// How many of those that the filter meant were not tried, or not yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<i64>,
    /// The letters chosen, written down before the service is asked, so that a restart repeats nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["id".into()]))]
    pub letters: Vec<ChosenLetter>,
    /// The record of the redrive in the service's operators' log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<i64>,
    /// Some of the letters, those that died again first: what `gozon trace` and a log search begin with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["id".into()]))]
    pub samples: Vec<Sample>,
    /// When the service was seen to have been asked, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub started_at: Option<String>,
    /// When it ended, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub finished_at: Option<String>,
    /// `Complete` or `Failed` once it has ended, and why. `SourceUnavailable`: the service does not answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}

/// How far a redrive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Phase {
    /// The letters are written down.
    Chosen,
    /// The service has been asked.
    Running,
    /// What is not settled yet is being taken back.
    Stopping,
    /// All that was to be done is done.
    Complete,
    /// It ended early.
    Failed,
}

/// A letter that was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChosenLetter {
    /// Its number in the service.
    pub id: i64,
    /// How often settling it had been tried: more often later means that it died again.
    pub attempts: i32,
}

/// A letter for people to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sample {
    /// Its number in the service.
    pub id: i64,
    /// The type of its event, where it can be read.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Why it is a dead letter, as a class.
    pub reason: String,
    /// Why, in words.
    pub detail: String,
    /// The trace it belongs to, where it can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
}
