//! Events: what `kubectl describe` and `kubectl events` tell, once for each change.

use k8s_openapi::{
    api::{core::v1::ObjectReference, events::v1::Event},
    apimachinery::pkg::apis::meta::v1::MicroTime,
    jiff::Timestamp,
};
use kube::{Api, Client, Resource, api::PostParams};

use super::{MANAGER, error::within};
use crate::{
    metrics::Metrics,
    resource::{Condition, ConditionStatus},
};

/// The longest text that the API server takes, in bytes.
const NOTE_MAX: usize = 1_000;

/// A change worth telling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) weight: Weight,
    /// What happened, as one word.
    pub(super) reason: &'static str,
    /// In words.
    pub(super) note: String,
}

/// How it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Normal,
    Warning,
}

impl Change {
    pub(super) fn normal(reason: &'static str, note: impl Into<String>) -> Self {
        Self {
            weight: Weight::Normal,
            reason,
            note: note.into(),
        }
    }

    pub(super) fn warning(reason: &'static str, note: impl Into<String>) -> Self {
        Self {
            weight: Weight::Warning,
            ..Self::normal(reason, note)
        }
    }
}

/// A trouble that came or went between two statuses, as its condition says: `came` names its coming, `went` its end.
pub(super) fn trouble(
    before: &[Condition],
    after: &[Condition],
    kind: &str,
    (came, went): (&'static str, &'static str),
) -> Option<Change> {
    let of = |conditions: &[Condition]| {
        let condition = conditions.iter().find(|condition| condition.kind == kind);
        condition.map(|condition| (condition.status, condition.message.clone()))
    };
    let was = of(before).is_some_and(|(status, _)| status == ConditionStatus::True);
    let (status, message) = of(after)?;
    match status {
        ConditionStatus::True if !was => Some(Change::warning(came, message)),
        ConditionStatus::False if was => Some(Change::normal(went, message)),
        _ => None,
    }
}

/// Tells changes of a resource. A change that cannot be told has happened all the same, and stands in the status.
pub(super) async fn tell<K: Resource<DynamicType = ()>>(
    client: &Client,
    reporter: &str,
    metrics: &Metrics,
    resource: &K,
    changes: &[Change],
) {
    let api: Api<Event> = Api::default_namespaced(client.clone());
    for change in changes {
        let event = event(reporter, resource.object_ref(&()), change);
        if let Err(error) = within(api.create(&PostParams::default(), &event)).await {
            metrics.failed("Event", error.class());
            tracing::warn!(reason = change.reason, error = %chassis::chain(&error), "an event cannot be told");
        }
    }
}

fn event(reporter: &str, about: ObjectReference, change: &Change) -> Event {
    let now = Timestamp::now();
    let mut event = Event {
        action: Some(change.reason.into()),
        event_time: Some(MicroTime(now)),
        note: Some(shortened(&change.note).into()),
        reason: Some(change.reason.into()),
        reporting_controller: Some(format!("gozon.io/{MANAGER}")),
        reporting_instance: Some(reporter.into()),
        type_: Some(format!("{:?}", change.weight)),
        ..Event::default()
    };
    event.metadata.namespace.clone_from(&about.namespace);
    let name = about.name.as_deref().unwrap_or(MANAGER);
    event.metadata.name = Some(format!("{name}.{:x}", now.as_nanosecond()));
    event.regarding = Some(about);
    event
}

fn shortened(note: &str) -> &str {
    &note[..note.floor_char_boundary(NOTE_MAX)]
}
