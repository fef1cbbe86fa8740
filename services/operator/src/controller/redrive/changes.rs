//! Which changes of a `Redrive` become events.

use super::super::event::{Change, trouble};
use crate::resource::{ConditionStatus, Phase, RedriveStatus};

/// What has changed and is worth an event.
pub(super) fn changes(before: &RedriveStatus, after: &RedriveStatus) -> Vec<Change> {
    let mut changes = Vec::new();
    if after.phase != before.phase {
        changes.extend(after.phase.map(|phase| phase_change(phase, after)));
    }
    let names = ("SourceUnavailable", "SourceAvailable");
    changes.extend(trouble(
        &before.conditions,
        &after.conditions,
        "SourceUnavailable",
        names,
    ));
    changes
}

fn phase_change(phase: Phase, status: &RedriveStatus) -> Change {
    let matched = status.matched.unwrap_or_default();
    let chosen = status.letters.len();
    match phase {
        Phase::Chosen => Change::normal(
            "Chosen",
            format!("{chosen} of {matched} dead letters are to be settled again"),
        ),
        Phase::Running => Change::normal("Running", "the service settles them again"),
        Phase::Stopping => {
            Change::warning("Stopping", "what is not settled yet is being taken back")
        }
        Phase::Complete => Change::normal("Complete", how_it_ended(status, "Complete")),
        Phase::Failed => Change::warning("Failed", how_it_ended(status, "Failed")),
    }
}

fn how_it_ended(status: &RedriveStatus, kind: &str) -> String {
    let mut ends = status
        .conditions
        .iter()
        .filter(|condition| condition.kind == kind && condition.status == ConditionStatus::True);
    ends.next()
        .map_or_else(String::new, |condition| condition.message.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_phase_is_one_event() {
        let of = |phase| RedriveStatus {
            phase: Some(phase),
            ..RedriveStatus::default()
        };
        let chosen = changes(&RedriveStatus::default(), &of(Phase::Chosen));
        assert_eq!(chosen.len(), 1);
        assert_eq!(chosen[0].reason, "Chosen");
        assert_eq!(changes(&of(Phase::Running), &of(Phase::Running)), []);
        let failed = changes(&of(Phase::Stopping), &of(Phase::Failed));
        assert_eq!(failed[0].reason, "Failed");
    }
}
