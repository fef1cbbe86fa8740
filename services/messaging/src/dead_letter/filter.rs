//! Which dead letters an operator means.

use std::time::Duration;

use serde_json::{Value, json};

use crate::failure::ReasonClass;

/// The most letters that one call lists, marks or discards.
pub const MAX_LETTERS: i64 = 10_000;

/// How many letters a call is about when nothing is said.
pub const DEFAULT_LETTERS: i64 = 100;

/// Which dead letters are meant: those that meet every condition that is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The queue whose consumer gave up: [`crate::topology::Queue::name`].
    pub queue: Option<String>,
    /// The class of the reason.
    pub reason: Option<ReasonClass>,
    /// The event type.
    pub kind: Option<String>,
    /// At least this long in dead letters.
    pub min_age: Option<Duration>,
    /// Only these letters; all if empty.
    pub ids: Vec<i64>,
    /// Only letters behind this one; all if none. Letters keep their ids when they die again, so what is marked in parts
    /// goes on behind the last of the part before: [`super::Redriven::last_id`]. A letter that came while that part was
    /// marked may have a smaller id, and is left to another redrive.
    pub after: Option<i64>,
    /// The most letters: taken as 1 to [`MAX_LETTERS`].
    pub limit: i64,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            queue: None,
            reason: None,
            kind: None,
            min_age: None,
            ids: Vec::new(),
            after: None,
            limit: DEFAULT_LETTERS,
        }
    }
}

impl Filter {
    /// The filter in JSON, for the operators' log.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut filter = json!({
            "queue": self.queue,
            "reason": self.reason.map(ReasonClass::as_str),
            "type": self.kind,
            "min_age_seconds": self.min_age.map(|age| age.as_secs()),
            "ids": self.ids,
            "limit": self.limit(),
        });
        // Left out where it is not set: by what is recorded a request of an earlier version is known again.
        if let Some(after) = self.after {
            filter["after"] = json!(after);
        }
        filter
    }

    pub(super) fn limit(&self) -> i64 {
        self.limit.clamp(1, MAX_LETTERS)
    }

    pub(super) fn reason(&self) -> Option<&'static str> {
        self.reason.map(ReasonClass::as_str)
    }

    pub(super) fn min_age_seconds(&self) -> Option<f64> {
        self.min_age.map(|age| age.as_secs_f64())
    }

    pub(super) fn ids(&self) -> Option<&[i64]> {
        (!self.ids.is_empty()).then_some(&self.ids)
    }
}
