//! Single steps.

use serde_json::json;
use std::time::Duration;
use time::OffsetDateTime;

use super::*;
use crate::resource::{Phase, Redrive, RedriveStatus};

const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

fn redrive(spec: serde_json::Value) -> Redrive {
    let mut redrive = Redrive::new("poison", serde_json::from_value(spec).unwrap());
    redrive.metadata.generation = Some(1);
    redrive
}

fn letter(id: i64) -> Letter {
    Letter {
        id,
        attempts: 1,
        mark: Mark::None,
        kind: Some("payment.captured.v1".into()),
        reason: "unknown_order".into(),
        detail: "there is no such order".into(),
        trace_id: Some("4bf92f3577b34da6a3ce929d0e0e4736".into()),
    }
}

fn marked(id: i64) -> Letter {
    Letter {
        mark: Mark::Own,
        ..letter(id)
    }
}

/// Somebody else wants it settled again.
fn marked_by_others(id: i64) -> Letter {
    Letter {
        mark: Mark::Others,
        ..letter(id)
    }
}

fn died(id: i64) -> Letter {
    Letter {
        attempts: 2,
        ..letter(id)
    }
}

fn matching(letters: Vec<Letter>) -> Seen {
    Seen::Matching {
        matched: i64::try_from(letters.len()).unwrap(),
        letters,
    }
}

/// A redrive of letters 3, 5 and 8 of which the service says this.
fn after(steps: &[Seen], now: OffsetDateTime) -> (Redrive, Step) {
    let mut redrive = redrive(json!({"service": "order"}));
    let first = matching(vec![letter(8), letter(5), letter(3)]);
    let mut last = step(&redrive, &first, NOW);
    for (place, seen) in steps.iter().enumerate() {
        redrive.status = Some(last.status);
        let now = if place + 1 == steps.len() { now } else { NOW };
        last = step(&redrive, seen, now);
    }
    redrive.status = Some(last.status.clone());
    (redrive, last)
}

fn following(letters: Vec<Letter>) -> Seen {
    Seen::Following {
        operation_id: Some(73),
        died_again: 0,
        letters,
    }
}

fn unasked(letters: Vec<Letter>) -> Seen {
    Seen::Following {
        operation_id: None,
        died_again: 0,
        letters,
    }
}

fn counts(status: &RedriveStatus) -> [i64; 4] {
    [status.matched, status.done, status.died_again, status.left].map(Option::unwrap)
}

fn told(status: &RedriveStatus, kind: &str) -> String {
    let condition = status
        .conditions
        .iter()
        .find(|condition| condition.kind == kind);
    condition.unwrap().message.clone()
}

#[test]
fn the_oldest_are_written_down_before_anything_is_done() {
    let redrive = redrive(json!({"service": "order", "limit": 2}));
    let step = step(
        &redrive,
        &matching(vec![letter(8), letter(5), letter(3)]),
        NOW,
    );
    assert_eq!(step.action, None);
    assert_eq!(step.status.phase, Some(Phase::Chosen));
    assert_eq!(
        step.status.letters.iter().map(|l| l.id).collect::<Vec<_>>(),
        [3, 5]
    );
    assert_eq!(step.again, Duration::ZERO);
}

#[test]
fn a_dry_run_counts_and_changes_nothing() {
    let redrive = redrive(json!({"service": "order", "limit": 2, "dryRun": true}));
    let seen = matching(vec![letter(8), letter(5), marked(3)]);
    let step = step(&redrive, &seen, NOW);
    assert_eq!(
        (step.action, step.status.phase),
        (None, Some(Phase::Complete))
    );
    assert_eq!(counts(&step.status), [3, 0, 0, 3]);
    assert_eq!(step.status.samples.len(), 3);
    assert_eq!(
        told(&step.status, "Complete"),
        "a dry run: of 3 dead letters 2 would be settled again"
    );
}

#[test]
fn where_nothing_matches_it_is_complete() {
    let step = step(
        &redrive(json!({"service": "order"})),
        &matching(Vec::new()),
        NOW,
    );
    assert_eq!(
        (step.action, step.status.phase),
        (None, Some(Phase::Complete))
    );
}

#[test]
fn what_the_log_does_not_have_was_not_asked_and_what_it_has_is_not_asked_again() {
    let all = || vec![letter(3), letter(5), letter(8)];
    let (_, step) = after(&[unasked(all())], NOW);
    assert_eq!(step.action, Some(Action::Redrive { ids: vec![3, 5, 8] }));
    let (_, step) = after(&[following(vec![marked(5), marked(8)])], NOW);
    assert_eq!((step.action, step.status.operation_id), (None, Some(73)));
    assert_eq!(step.status.phase, Some(Phase::Running));
    assert_eq!(counts(&step.status), [3, 1, 0, 2]);
}

#[test]
fn once_all_are_gone_it_is_complete() {
    let (_, step) = after(&[following(vec![marked(5)]), following(Vec::new())], NOW);
    assert_eq!(
        (step.action, step.status.phase),
        (None, Some(Phase::Complete))
    );
    assert_eq!(counts(&step.status), [3, 3, 0, 0]);
    assert!(step.status.finished_at.is_some());
}

#[test]
fn a_letter_that_dies_again_stops_it_and_is_named() {
    let dies = following(vec![died(5), marked(8)]);
    let (_, stopping) = after(std::slice::from_ref(&dies), NOW);
    assert_eq!(
        stopping.action,
        Some(Action::TakeBack { ids: vec![3, 5, 8] })
    );
    assert_eq!(stopping.status.phase, Some(Phase::Stopping));
    let (_, step) = after(&[dies, following(vec![died(5), letter(8)])], NOW);
    assert_eq!(
        (step.action, step.status.phase),
        (None, Some(Phase::Failed))
    );
    assert_eq!(counts(&step.status), [3, 1, 1, 1]);
    assert_eq!(step.status.samples[0].id, 5);
    assert_eq!(
        told(&step.status, "Failed"),
        "letter 5 died again: unknown_order: there is no such order (trace 4bf92f3577b34da6a3ce929d0e0e4736)"
    );
}

#[test]
fn a_letter_that_died_under_somebody_elses_redrive_is_not_tried_once_more() {
    let (_, step) = after(&[unasked(vec![letter(3), died(5), marked(8)])], NOW);
    assert_eq!(
        (step.action, step.status.phase),
        (None, Some(Phase::Failed))
    );
}

#[test]
fn what_is_never_settled_is_taken_back() {
    let waiting = || following(vec![marked(3), marked(5), marked(8)]);
    let late = NOW + Duration::from_secs(602);
    assert_eq!(after(&[waiting(), waiting()], NOW).1.action, None);
    let (redrive, stopping) = after(&[waiting(), waiting()], late);
    assert!(matches!(stopping.action, Some(Action::TakeBack { .. })));
    let back = following(vec![letter(3), letter(5), letter(8)]);
    let ended = step(&redrive, &back, late);
    assert_eq!(ended.status.phase, Some(Phase::Failed));
    assert!(told(&ended.status, "Failed").starts_with("3 letters are not settled 601 s after"));
}

#[test]
fn what_somebody_takes_back_is_not_asked_for_again() {
    let back = following(vec![letter(3), letter(5), letter(8)]);
    let (_, step) = after(&[back], NOW);
    assert_eq!(
        (step.action, step.status.phase),
        (None, Some(Phase::Failed))
    );
    assert!(told(&step.status, "Failed").contains("taken back"));
}

#[test]
fn a_service_that_is_away_changes_nothing_and_is_told() {
    let away = Seen::Away {
        why: "the order service does not answer".into(),
    };
    let (_, step) = after(&[following(vec![marked(5)]), away], NOW);
    assert_eq!(
        (step.action, step.status.phase),
        (None, Some(Phase::Running))
    );
    assert_eq!(
        told(&step.status, "SourceUnavailable"),
        "the order service does not answer"
    );
    let (_, step) = after(&[following(vec![marked(5)])], NOW);
    assert_eq!(
        told(&step.status, "SourceUnavailable"),
        "the service answers"
    );
}

#[test]
fn a_refusal_ends_it() {
    let (redrive, _) = after(&[], NOW);
    let status = refused(&redrive, "forbidden", NOW);
    assert_eq!(status.phase, Some(Phase::Failed));
    assert_eq!(told(&status, "Failed"), "the service refused: forbidden");
}

#[test]
fn it_is_removed_after_its_time_to_live() {
    let (redrive, _) = after(&[following(Vec::new())], NOW);
    let day = Duration::from_hours(24);
    assert_eq!(question(&redrive), Question::Nothing);
    let early = step(&redrive, &Seen::Nothing, NOW + day / 4);
    assert_eq!((early.action, early.again), (None, day / 4 * 3));
    let late = step(&redrive, &Seen::Nothing, NOW + day);
    assert_eq!(late.action, Some(Action::Remove));
}

#[test]
fn what_others_have_marked_meanwhile_is_left_to_them_and_not_taken_for_done() {
    let dies = following(vec![died(5), marked_by_others(8)]);
    let (_, step) = after(std::slice::from_ref(&dies), NOW);
    assert_eq!(
        (step.action, step.status.phase),
        (None, Some(Phase::Failed)),
        "nothing of its own is left to be taken back"
    );
    let (_, waiting) = after(&[following(vec![marked_by_others(8)])], NOW);
    assert_eq!(
        (waiting.action, waiting.status.phase),
        (None, Some(Phase::Running))
    );
}

#[test]
fn a_letter_that_died_again_as_another_is_not_done_and_stops_it() {
    let again = |letters| Seen::Following {
        operation_id: Some(73),
        died_again: 1,
        letters,
    };
    let asked = following(vec![marked(3), marked(5), marked(8)]);
    let (_, last) = after(&[asked, again(vec![marked(8)])], NOW);
    assert_eq!(counts(&last.status), [3, 1, 1, 1]);
    assert_eq!(last.status.phase, Some(Phase::Stopping));
    let (_, last) = after(&[again(vec![])], NOW);
    assert_eq!(counts(&last.status), [3, 2, 1, 0]);
    assert_eq!(last.status.phase, Some(Phase::Failed));
    let why = told(&last.status, "Failed");
    assert!(why.contains("1 letters died again"), "{why}");
}
