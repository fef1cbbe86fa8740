//! Conditions of a resource's status, after Kubernetes' conventions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// Something that is or is not so, since when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What is or is not so.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it is so.
    pub status: ConditionStatus,
    /// Why, as one word for programs.
    pub reason: String,
    /// Why, in words.
    pub message: String,
    /// Since when the status is what it is, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub last_transition_time: String,
    /// The generation of the resource that was looked at.
    pub observed_generation: i64,
}

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not.
    False,
    /// Nobody can tell.
    Unknown,
}

/// What is to be said about a condition; since when is not its business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The condition.
    pub kind: &'static str,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// Why, as one word for programs.
    pub reason: &'static str,
    /// Why, in words.
    pub message: String,
}

/// Says it among the conditions there are; since when only changes where the status does.
pub fn say(
    conditions: &mut Vec<Condition>,
    verdict: Verdict,
    generation: i64,
    now: OffsetDateTime,
) {
    let place = conditions
        .iter()
        .position(|condition| condition.kind == verdict.kind);
    let since = place
        .map(|place| &conditions[place])
        .filter(|condition| condition.status == verdict.status)
        .map_or_else(
            || instant(now),
            |condition| condition.last_transition_time.clone(),
        );
    let condition = Condition {
        kind: verdict.kind.into(),
        status: verdict.status,
        reason: verdict.reason.into(),
        message: verdict.message,
        last_transition_time: since,
        observed_generation: generation,
    };
    match place {
        Some(place) => conditions[place] = condition,
        None => conditions.push(condition),
    }
}

/// An instant as a status states it: RFC 3339, to the second.
pub(crate) fn instant(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC).replace_nanosecond(0);
    let at = at.expect("zero is a number of nanoseconds");
    at.format(&Rfc3339).expect("a year has four digits")
}
