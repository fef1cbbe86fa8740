//! The next step.

use std::time::Duration;

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Letter, Mark, Seen};
use crate::resource::{
    ChosenLetter, ConditionStatus, Phase, Redrive, RedriveStatus, Sample, Verdict, instant, say,
};

/// How long the service may need beyond what the rate takes.
const PATIENCE: Duration = Duration::from_mins(10);

/// How often a redrive that is under way is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// How often a service that does not answer is asked again.
const AWAY: Duration = Duration::from_secs(10);

/// How many letters are shown.
const SAMPLES: usize = 10;

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is to be written down first.
    pub status: RedriveStatus,
    /// What is to be done then.
    pub action: Option<Action>,
    /// When to look again.
    pub again: Duration,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Ask the service to settle these letters again, at the rate of the resource.
    Redrive {
        /// Exactly these, however often it is asked.
        ids: Vec<i64>,
    },
    /// Take back what of these is not settled yet.
    TakeBack {
        /// These.
        ids: Vec<i64>,
    },
    /// Remove the resource.
    Remove,
}

/// Decides what comes next.
#[must_use]
pub fn step(redrive: &Redrive, seen: &Seen, now: OffsetDateTime) -> Step {
    let mut status = redrive.status.clone().unwrap_or_default();
    status.observed_generation = Some(generation(redrive));
    if let Seen::Away { why } = seen {
        tell(redrive, &mut status, now, source(Some(why)));
        return wait(status, AWAY);
    }
    if *seen != Seen::Nothing {
        tell(redrive, &mut status, now, source(None));
    }
    match (status.phase, seen) {
        (None, Seen::Matching { matched, letters }) => {
            choose(redrive, status, *matched, letters, now)
        }
        (
            Some(phase @ (Phase::Chosen | Phase::Running | Phase::Stopping)),
            Seen::Following {
                operation_id,
                died_again,
                letters,
            },
        ) => {
            status.operation_id = status.operation_id.or(*operation_id);
            let standing = Standing::of(&status.letters, letters, *died_again);
            follow(redrive, status, phase, letters, &standing, now)
        }
        (Some(Phase::Complete | Phase::Failed), _) => ended(redrive, status, now),
        // An answer to what was not asked says nothing.
        (None | Some(Phase::Chosen | Phase::Running | Phase::Stopping), _) => wait(status, LOOK),
    }
}

/// The service refused what was asked of it: asking again would not help.
#[must_use]
pub fn refused(redrive: &Redrive, why: &str, now: OffsetDateTime) -> RedriveStatus {
    let status = redrive.status.clone().unwrap_or_default();
    end(
        redrive,
        status,
        failed("Refused", format!("the service refused: {why}")),
        now,
    )
}

fn choose(
    redrive: &Redrive,
    mut status: RedriveStatus,
    matched: i64,
    letters: &[Letter],
    now: OffsetDateTime,
) -> Step {
    status.matched = Some(matched);
    status.done = Some(0);
    status.died_again = Some(0);
    status.left = Some(matched);
    status.samples = letters.iter().take(SAMPLES).map(Sample::from).collect();
    // What somebody has asked for already is theirs.
    let mut chosen: Vec<_> = letters
        .iter()
        .filter(|letter| letter.mark == Mark::None)
        .collect();
    chosen.sort_by_key(|letter| letter.id);
    chosen.truncate(usize::try_from(redrive.spec.limit).unwrap_or_default());
    let outcome = if redrive.spec.dry_run {
        let count = chosen.len();
        Some(format!(
            "a dry run: of {matched} dead letters {count} would be settled again"
        ))
    } else if chosen.is_empty() {
        Some("there is no dead letter to settle again".to_owned())
    } else {
        None
    };
    if let Some(message) = outcome {
        let status = end(redrive, status, complete(message), now);
        return wait(status, LOOK);
    }
    status.phase = Some(Phase::Chosen);
    status.letters = chosen
        .into_iter()
        .map(|letter| ChosenLetter {
            id: letter.id,
            attempts: letter.attempts,
        })
        .collect();
    wait(status, Duration::ZERO)
}

/// The letters now, against what was written down.
struct Standing<'s> {
    died_again: Vec<&'s Letter>,
    /// How many died again and came back as other letters.
    died_elsewhere: usize,
    marked: usize,
    /// Somebody else has marked them meanwhile: how they end is seen in the end.
    marked_by_others: usize,
    /// Neither gone, nor marked, nor tried again.
    untouched: usize,
}

impl<'s> Standing<'s> {
    fn of(chosen: &[ChosenLetter], letters: &'s [Letter], recorded_again: i64) -> Self {
        let mut standing = Self {
            died_again: Vec::new(),
            died_elsewhere: 0,
            marked: 0,
            marked_by_others: 0,
            untouched: 0,
        };
        for letter in letters {
            let Some(then) = chosen.iter().find(|chosen| chosen.id == letter.id) else {
                continue;
            };
            if letter.attempts > then.attempts {
                standing.died_again.push(letter);
            } else if letter.mark == Mark::None {
                standing.untouched += 1;
            }
            standing.marked += usize::from(letter.mark == Mark::Own);
            standing.marked_by_others += usize::from(letter.mark == Mark::Others);
        }
        let recorded = usize::try_from(recorded_again).unwrap_or_default();
        standing.died_elsewhere = recorded.saturating_sub(standing.died_again.len());
        standing
    }
}

fn follow(
    redrive: &Redrive,
    mut status: RedriveStatus,
    phase: Phase,
    letters: &[Letter],
    standing: &Standing<'_>,
    now: OffsetDateTime,
) -> Step {
    count(&mut status, letters, standing);
    let ids: Vec<_> = status.letters.iter().map(|letter| letter.id).collect();
    let has_asked = status.operation_id.is_some();
    if has_asked && phase == Phase::Chosen {
        status.phase = Some(Phase::Running);
        status.started_at = Some(instant(now));
    }
    let cause = cause(redrive, &status, standing, now);
    match cause {
        // Also where nothing was asked for yet: somebody else's attempt has shown that these letters still die. What they have
        // marked is theirs.
        Some(cause) if standing.marked == 0 || !has_asked => {
            wait(end(redrive, status, cause, now), LOOK)
        }
        Some(_) => {
            status.phase = Some(Phase::Stopping);
            act(status, Action::TakeBack { ids })
        }
        None if !has_asked => act(status, Action::Redrive { ids }),
        None if standing.untouched > 0 => {
            let message = "a redrive of these letters was taken back before they were settled";
            wait(
                end(redrive, status, failed("TakenBack", message.into()), now),
                LOOK,
            )
        }
        None if standing.marked + standing.marked_by_others == 0 => {
            let message = format!("all {} chosen letters are dead letters no more", ids.len());
            wait(end(redrive, status, complete(message), now), LOOK)
        }
        None => wait(status, LOOK),
    }
}

fn count(status: &mut RedriveStatus, letters: &[Letter], standing: &Standing<'_>) {
    let chosen = status.letters.len();
    let still = letters.len().min(chosen);
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let gone = chosen - still;
    let died_elsewhere = standing.died_elsewhere.min(gone);
    let done = number(gone - died_elsewhere);
    let died = number(standing.died_again.len() + died_elsewhere);
    status.done = Some(done);
    status.died_again = Some(died);
    status.left = status.matched.map(|matched| matched - done - died);
    let again = standing.died_again.iter().copied();
    let rest = letters
        .iter()
        .filter(|letter| !standing.died_again.contains(letter));
    status.samples = again.chain(rest).take(SAMPLES).map(Sample::from).collect();
}

/// Why it is to stop, if it is.
fn cause(
    redrive: &Redrive,
    status: &RedriveStatus,
    standing: &Standing<'_>,
    now: OffsetDateTime,
) -> Option<Verdict> {
    if let Some(first) = standing.died_again.first() {
        let trace = first.trace_id.as_deref().unwrap_or("none");
        let message = format!(
            "letter {} died again: {}: {} (trace {trace})",
            first.id, first.reason, first.detail
        );
        return Some(failed("DiedAgain", message));
    }
    if standing.died_elsewhere > 0 {
        let message = format!(
            "{} letters died again and are other letters now, the newest of the service",
            standing.died_elsewhere
        );
        return Some(failed("DiedAgain", message));
    }
    let started = parse(status.started_at.as_deref()?)?;
    let letters = u64::try_from(status.letters.len()).unwrap_or(u64::MAX);
    let rate = u64::from(redrive.spec.rate_per_second.max(1).unsigned_abs());
    let deadline = Duration::from_secs(letters.div_ceil(rate)) + PATIENCE;
    let unsettled = standing.marked + standing.untouched;
    let is_late = unsettled > 0 && now - started > deadline;
    is_late.then(|| {
        let message = format!(
            "{unsettled} letters are not settled {} s after the service was asked: does it consume?",
            deadline.as_secs()
        );
        failed("TimedOut", message)
    })
}

fn ended(redrive: &Redrive, status: RedriveStatus, now: OffsetDateTime) -> Step {
    let live = Duration::from_secs(
        redrive
            .spec
            .ttl_seconds_after_finished
            .max(0)
            .unsigned_abs()
            .into(),
    );
    let finished = status.finished_at.as_deref().and_then(parse).unwrap_or(now);
    let left = finished + live - now;
    if left.is_positive() {
        wait(status, left.unsigned_abs())
    } else {
        act(status, Action::Remove)
    }
}

fn end(
    redrive: &Redrive,
    mut status: RedriveStatus,
    verdict: Verdict,
    now: OffsetDateTime,
) -> RedriveStatus {
    status.phase = Some(if verdict.kind == "Complete" {
        Phase::Complete
    } else {
        Phase::Failed
    });
    status.finished_at = Some(instant(now));
    status.observed_generation = Some(generation(redrive));
    tell(redrive, &mut status, now, verdict);
    status
}

fn tell(redrive: &Redrive, status: &mut RedriveStatus, now: OffsetDateTime, verdict: Verdict) {
    say(&mut status.conditions, verdict, generation(redrive), now);
}

fn generation(redrive: &Redrive) -> i64 {
    redrive.metadata.generation.unwrap_or_default()
}

fn complete(message: String) -> Verdict {
    Verdict {
        kind: "Complete",
        status: ConditionStatus::True,
        reason: "Done",
        message,
    }
}

fn failed(reason: &'static str, message: String) -> Verdict {
    Verdict {
        kind: "Failed",
        status: ConditionStatus::True,
        reason,
        message,
    }
}

fn source(why_away: Option<&str>) -> Verdict {
    let (status, reason) = match why_away {
        Some(_) => (ConditionStatus::True, "Away"),
        None => (ConditionStatus::False, "Answers"),
    };
    Verdict {
        kind: "SourceUnavailable",
        status,
        reason,
        message: why_away.unwrap_or("the service answers").into(),
    }
}

fn wait(status: RedriveStatus, again: Duration) -> Step {
    Step {
        status,
        action: None,
        again,
    }
}

fn act(status: RedriveStatus, action: Action) -> Step {
    Step {
        status,
        action: Some(action),
        again: LOOK,
    }
}

fn parse(instant: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(instant, &Rfc3339).ok()
}

impl From<&Letter> for Sample {
    fn from(letter: &Letter) -> Self {
        Self {
            id: letter.id,
            kind: letter.kind.clone(),
            reason: letter.reason.clone(),
            detail: letter.detail.clone(),
            trace_id: letter.trace_id.clone(),
        }
    }
}
