//! `OutboxRelay`: a Deployment of relays, scaled by how long events wait to be published.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, Service};

/// How the relays of an outbox are scaled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "gozon.io",
    version = "v1alpha1",
    kind = "OutboxRelay",
    namespaced,
    shortname = "obr",
    category = "gozon",
    status = "OutboxRelayStatus",
    derive = "PartialEq",
    doc = "The relays of an outbox, scaled by how long its oldest event waits to be published and by how many wait.",
    printcolumn(
        name = "Service",
        type_ = "string",
        json_path = ".spec.service",
        description = "Whose outbox"
    ),
    printcolumn(
        name = "Target",
        type_ = "string",
        json_path = ".spec.scaleTargetRef.name",
        description = "The Deployment that is scaled"
    ),
    printcolumn(
        name = "Min",
        type_ = "integer",
        json_path = ".spec.minReplicas",
        priority = "1"
    ),
    printcolumn(
        name = "Max",
        type_ = "integer",
        json_path = ".spec.maxReplicas",
        priority = "1"
    ),
    printcolumn(
        name = "Replicas",
        type_ = "integer",
        json_path = ".status.replicas",
        description = "How many relays there are to be"
    ),
    printcolumn(
        name = "Oldest",
        type_ = "string",
        json_path = ".status.oldest",
        description = "How long the oldest event waits"
    ),
    printcolumn(
        name = "Backlog",
        type_ = "integer",
        json_path = ".status.backlog",
        description = "How many events wait"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(
        name = "Last decision",
        type_ = "string",
        json_path = ".status.lastDecision.reason",
        description = "What was decided last, and why"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.minReplicas <= self.maxReplicas")
        .message("minReplicas is larger than maxReplicas: no number of relays is both")
)]
pub struct OutboxRelaySpec {
    /// Whose outbox the relays publish: `order` or `payment`. Decides which service is asked how long its events wait.
    #[x_kube(validation = Rule::new("self == oldSelf")
        .message("whose outbox is scaled cannot change: create another OutboxRelay"))]
    pub service: Service,
    /// The Deployment of the relays, in the same namespace. Leave `replicas` out of it, and let no HPA or KEDA scale it too.
    pub scale_target_ref: ScaleTarget,
    /// How few relays there are when nothing waits. A number of replicas, at least 1; default 1.
    #[serde(default = "OutboxRelaySpec::default_min")]
    #[x_kube(validation = Rule::new("self >= 1")
        .message("minReplicas is below 1: with no relay nothing is ever published"))]
    pub min_replicas: i32,
    /// How many relays there are at most. A number of replicas, up to 64, the lanes of an outbox; default 8.
    #[serde(default = "OutboxRelaySpec::default_max")]
    #[x_kube(validation = Rule::new("self <= 64")
        .message("maxReplicas is above 64: an outbox has 64 lanes, and a relay without a lane publishes nothing"))]
    pub max_replicas: i32,
    /// How long the oldest event may wait before relays are added. Seconds, 1 to 3600; default 5.
    #[serde(default = "OutboxRelaySpec::default_target_age")]
    #[x_kube(validation = Rule::new("self >= 1 && self <= 3600")
        .message("targetAgeSeconds is not between 1 second and 3600 seconds, an hour"))]
    pub target_age_seconds: i32,
    /// How many waiting events are worth a relay of their own, however long they wait. Events, at least 100; default 20000.
    #[serde(default = "OutboxRelaySpec::default_backlog")]
    #[x_kube(validation = Rule::new("self >= 100")
        .message("backlogPerReplica is below 100: that is one message, and not worth a relay"))]
    pub backlog_per_replica: i32,
    /// For how long fewer relays must have been enough before one is taken away. Seconds, 30 to 86400; default 300.
    #[serde(default = "OutboxRelaySpec::default_stabilisation")]
    #[x_kube(validation = Rule::new("self >= 30 && self <= 86400")
        .message("scaleDownStabilisationSeconds is not between 30 seconds and 86400 seconds, a day"))]
    pub scale_down_stabilisation_seconds: i32,
}

impl OutboxRelaySpec {
    fn default_min() -> i32 {
        1
    }
    fn default_max() -> i32 {
        8
    }
    fn default_target_age() -> i32 {
        5
    }
    fn default_backlog() -> i32 {
        20_000
    }
    fn default_stabilisation() -> i32 {
        300
    }
}

/// What is scaled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScaleTarget {
    /// The API of its kind; default and only choice `apps/v1`.
    #[serde(default = "ScaleTarget::default_api")]
    #[x_kube(validation = Rule::new("self == 'apps/v1'")
        .message("scaleTargetRef.apiVersion is not apps/v1: only Deployments are scaled"))]
    pub api_version: String,
    /// Its kind; default and only choice `Deployment`.
    #[serde(default = "ScaleTarget::default_kind")]
    #[x_kube(validation = Rule::new("self == 'Deployment'")
        .message("scaleTargetRef.kind is not Deployment: only Deployments are scaled"))]
    pub kind: String,
    /// Its name.
    #[x_kube(validation = Rule::new("self.size() >= 1 && self.size() <= 253")
        .message("scaleTargetRef.name is not the name of a Deployment: 1 to 253 characters"))]
    #[schemars(extend("maxLength" = 1024))]
    pub name: String,
}

impl ScaleTarget {
    fn default_api() -> String {
        "apps/v1".into()
    }
    fn default_kind() -> String {
        "Deployment".into()
    }
}

/// What was found and decided.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct OutboxRelayStatus {
    /// The generation of the resource that was acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// How many relays there are to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    /// How many relays of this outbox live, by their own heartbeat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live_relays: Option<i32>,
    /// How many lanes each relay publishes. Lanes that nobody publishes are in none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["owner".into()]))]
    pub lanes: Vec<LaneOwner>,
    /// How long the oldest event waits, in milliseconds; 0 when none waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_age_milliseconds: Option<i64>,
    /// The same for people: `4.2s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest: Option<String>,
    /// How many events wait; at most 100000 are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backlog: Option<i64>,
    /// How many events were published per second lately; absent where the service does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_per_second: Option<i64>,
    /// The last change of the number of relays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_decision: Option<Decision>,
    /// What was learned of these relays: read back by the operator that acts next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learned: Option<Learned>,
    /// `Ready`: the outbox is read and the relays are as many as decided. `BrokerUnavailable`: the broker takes nothing.
    /// `SourceUnavailable`: the service or its database does not answer. `Draining`: a relay hands its lanes over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}

/// How many lanes a relay publishes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LaneOwner {
    /// The relay: the name it made up at its start.
    pub owner: String,
    /// How many lanes.
    pub lanes: i32,
}

/// What was learned of relays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Learned {
    /// How many events one relay publishes in a thousand seconds when all are busy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relay_events_per_thousand_seconds: Option<i64>,
    /// Until when no relays are added, for the last ones published no more, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_gain_until: Option<String>,
    /// How often in a row added relays published no more.
    #[serde(default)]
    pub no_gains: i32,
}

/// A change of the number of relays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// When, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub at: String,
    /// How many relays there were to be.
    pub from: i32,
    /// How many there are to be.
    pub to: i32,
    /// Why, in words.
    pub reason: String,
}
