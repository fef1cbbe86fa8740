//! What an `OutboxRelay` tells: its status, and the changes in it that become events.

use std::{collections::BTreeMap, time::Duration};

use time::OffsetDateTime;

use super::super::event::{Change, trouble};
use crate::{
    ops::OutboxView,
    resource::{
        self, Condition, ConditionStatus, LaneOwner, OutboxRelay, OutboxRelayStatus, Verdict,
        instant, say,
    },
    scaling::{self, Observed, Seconds, Source, verdicts},
};

/// Reasons of `Ready` that somebody has to do something about: each is told as an event when it comes.
const WORTH_TELLING: [&str; 3] = ["TargetMissing", "TargetTaken", "NoGain"];

/// What was seen of an outbox beside what decisions need.
#[derive(Debug)]
pub(super) struct Looked {
    lanes: Vec<LaneOwner>,
}

impl Looked {
    pub(super) fn of(view: &OutboxView) -> Self {
        let mut lanes: BTreeMap<&str, i32> = BTreeMap::new();
        for lane in &view.lanes {
            let is_held = lane.lease_seconds.is_some_and(|seconds| seconds > 0.0);
            if let Some(owner) = lane.owner.as_deref().filter(|_| is_held) {
                *lanes.entry(owner).or_default() += 1;
            }
        }
        let lanes = lanes.into_iter().map(|(owner, lanes)| LaneOwner {
            owner: owner.into(),
            lanes,
        });
        Self {
            lanes: lanes.collect(),
        }
    }
}

pub(super) fn status(
    relay: &OutboxRelay,
    observed: &Observed,
    looked: Option<&Looked>,
    decision: &scaling::Decision,
    now: OffsetDateTime,
) -> OutboxRelayStatus {
    let before = relay.status.clone().unwrap_or_default();
    let mut status = OutboxRelayStatus {
        observed_generation: relay.metadata.generation,
        replicas: Some(signed(decision.replicas)),
        last_decision: last_decision(&before, observed.replicas, decision, now),
        learned: decision.recent.learned(),
        conditions: before.conditions,
        ..OutboxRelayStatus::default()
    };
    // What cannot be read is not told: a number that stands still would look well.
    if let (Source::Read(outbox), Some(looked)) = (&observed.source, looked) {
        status.live_relays = Some(signed(outbox.live_relays));
        status.lanes.clone_from(&looked.lanes);
        status.oldest_age_milliseconds = i64::try_from(outbox.oldest_age.as_millis()).ok();
        status.oldest = Some(Seconds(to_tenths(outbox.oldest_age)).to_string());
        status.backlog = i64::try_from(outbox.backlog).ok();
        status.published_per_second = outbox
            .published_per_second
            .and_then(|rate| i64::try_from(rate).ok());
    }
    let generation = relay.metadata.generation.unwrap_or_default();
    for verdict in verdicts(observed, decision) {
        say(&mut status.conditions, verdict, generation, now);
    }
    status
}

/// What stands beside `Ready`: nothing is known of it while nothing is decided.
const BESIDE_READY: [&str; 3] = ["BrokerUnavailable", "SourceUnavailable", "Draining"];

/// There is no such Deployment: nothing is decided, and why is said.
pub(super) fn without_target(relay: &OutboxRelay, now: OffsetDateTime) -> OutboxRelayStatus {
    let target = &relay.spec.scale_target_ref.name;
    let message = format!("there is no Deployment {target} in this namespace");
    undecided(relay, "TargetMissing", &message, now)
}

/// Another scales that Deployment: nothing is decided, and who that is is said.
pub(super) fn target_taken(
    relay: &OutboxRelay,
    other: &str,
    now: OffsetDateTime,
) -> OutboxRelayStatus {
    let target = &relay.spec.scale_target_ref.name;
    let message = format!(
        "the OutboxRelay {other} was there first and scales the Deployment {target}: two would undo each other's work"
    );
    undecided(relay, "TargetTaken", &message, now)
}

fn undecided(
    relay: &OutboxRelay,
    reason: &'static str,
    message: &str,
    now: OffsetDateTime,
) -> OutboxRelayStatus {
    let before = relay.status.clone().unwrap_or_default();
    // What was decided last has been decided. Whatever else is told is of relays that are there and its own.
    let mut status = OutboxRelayStatus {
        observed_generation: relay.metadata.generation,
        last_decision: before.last_decision,
        conditions: before.conditions,
        ..OutboxRelayStatus::default()
    };
    let ready = Verdict {
        kind: "Ready",
        status: ConditionStatus::False,
        reason,
        message: message.to_owned(),
    };
    let beside = BESIDE_READY.map(|kind| Verdict {
        kind,
        status: ConditionStatus::Unknown,
        reason,
        message: message.to_owned(),
    });
    let generation = relay.metadata.generation.unwrap_or_default();
    for verdict in [ready].into_iter().chain(beside) {
        say(&mut status.conditions, verdict, generation, now);
    }
    status
}

/// The last change of the number of relays, one by somebody else included.
fn last_decision(
    before: &OutboxRelayStatus,
    found: u32,
    decision: &scaling::Decision,
    now: OffsetDateTime,
) -> Option<resource::Decision> {
    let of = |from: i32, to: i32, reason: String| {
        Some(resource::Decision {
            at: instant(now),
            from,
            to,
            reason,
        })
    };
    if decision.replicas != found {
        return of(
            signed(found),
            signed(decision.replicas),
            decision.reason.to_string(),
        );
    }
    match before.replicas {
        Some(told) if told != signed(found) => of(
            told,
            signed(found),
            "found so: scaled by somebody else, or just before the operator stopped".into(),
        ),
        _ => before.last_decision.clone(),
    }
}

/// What has changed and is worth an event.
pub(super) fn changes(before: &OutboxRelayStatus, after: &OutboxRelayStatus) -> Vec<Change> {
    let mut changes = Vec::new();
    if let Some(last) = after
        .last_decision
        .as_ref()
        .filter(|last| before.last_decision.as_ref() != Some(last))
    {
        let reason = if last.to > last.from {
            "ScaledUp"
        } else {
            "ScaledDown"
        };
        let note = format!("from {} to {} relays: {}", last.from, last.to, last.reason);
        changes.push(Change::normal(reason, note));
    }
    let troubles = [
        (
            "BrokerUnavailable",
            ("BrokerUnavailable", "BrokerAvailable"),
        ),
        (
            "SourceUnavailable",
            ("SourceUnavailable", "SourceAvailable"),
        ),
    ];
    for (kind, names) in troubles {
        changes.extend(trouble(&before.conditions, &after.conditions, kind, names));
    }
    for reason in WORTH_TELLING {
        if let Some(note) = ready_because(&after.conditions, reason)
            && ready_because(&before.conditions, reason).is_none()
        {
            changes.push(Change::warning(reason, note));
        }
    }
    changes
}

/// What `Ready` says in words, where it stands as it does for this reason.
fn ready_because(conditions: &[Condition], reason: &str) -> Option<String> {
    let mut ready = conditions
        .iter()
        .filter(|condition| condition.kind == "Ready" && condition.reason == reason);
    ready.next().map(|ready| ready.message.clone())
}

fn to_tenths(age: Duration) -> Duration {
    Duration::from_millis(u64::try_from(age.as_millis()).unwrap_or(u64::MAX) / 100 * 100)
}

fn signed(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scaling::{Broker, Outbox, Reason, Recent};

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn relay(status: Option<OutboxRelayStatus>) -> OutboxRelay {
        let spec = json!({"service": "order", "scaleTargetRef": {"name": "relays"}});
        let mut relay = OutboxRelay::new("orders", serde_json::from_value(spec).unwrap());
        relay.metadata.generation = Some(3);
        relay.status = status;
        relay
    }

    fn read(replicas: u32, broker: Broker) -> Observed {
        Observed {
            replicas,
            source: Source::Read(Outbox {
                oldest_age: Duration::from_millis(12_340),
                backlog: 7,
                live_relays: replicas,
                lanes: 64,
                broker,
                published_per_second: Some(5),
            }),
            recent: Recent::default(),
        }
    }

    fn told(
        before: Option<OutboxRelayStatus>,
        observed: &Observed,
        to: u32,
        reason: Reason,
    ) -> OutboxRelayStatus {
        let decision = scaling::Decision {
            replicas: to,
            reason,
            recent: Recent::default(),
        };
        let looked = Looked { lanes: Vec::new() };
        status(&relay(before), observed, Some(&looked), &decision, NOW)
    }

    #[test]
    fn a_change_is_one_event_and_no_change_is_none() {
        let first = told(None, &read(1, Broker::Accepting), 2, Reason::Enough);
        let begun = changes(&OutboxRelayStatus::default(), &first);
        assert_eq!(begun.len(), 1, "{begun:?}");
        assert_eq!(begun[0].reason, "ScaledUp");
        let second = told(
            Some(first.clone()),
            &read(2, Broker::Accepting),
            2,
            Reason::Enough,
        );
        assert_eq!(changes(&first, &second), []);
        let third = told(
            Some(second.clone()),
            &read(2, Broker::Blocked),
            2,
            Reason::BrokerBlocked,
        );
        let came: Vec<_> = changes(&second, &third)
            .iter()
            .map(|change| change.reason)
            .collect();
        assert_eq!(came, ["BrokerUnavailable"]);
        let fourth = told(
            Some(third.clone()),
            &read(2, Broker::Accepting),
            2,
            Reason::Enough,
        );
        let went: Vec<_> = changes(&third, &fourth)
            .iter()
            .map(|change| change.reason)
            .collect();
        assert_eq!(went, ["BrokerAvailable"]);
    }

    #[test]
    fn what_cannot_be_read_is_not_told() {
        let read = told(None, &read(2, Broker::Accepting), 2, Reason::Enough);
        assert_eq!(read.oldest.as_deref(), Some("12s"));
        let away = Observed {
            replicas: 2,
            source: Source::Away {
                why: "no connection".into(),
            },
            recent: Recent::default(),
        };
        let decision = scaling::Decision {
            replicas: 2,
            reason: Reason::SourceAway,
            recent: Recent::default(),
        };
        let after = status(&relay(Some(read.clone())), &away, None, &decision, NOW);
        assert_eq!((after.oldest.as_ref(), after.backlog), (None, None));
        let names: Vec<_> = changes(&read, &after)
            .iter()
            .map(|change| change.reason)
            .collect();
        assert_eq!(names, ["SourceUnavailable"]);
    }

    #[test]
    fn a_number_that_somebody_else_has_set_is_told_as_such() {
        let first = told(None, &read(2, Broker::Accepting), 2, Reason::Enough);
        assert_eq!(first.last_decision, None);
        let second = told(Some(first), &read(5, Broker::Accepting), 5, Reason::Enough);
        let last = second.last_decision.unwrap();
        assert_eq!((last.from, last.to), (2, 5));
        assert!(last.reason.contains("somebody else"), "{}", last.reason);
    }
}
