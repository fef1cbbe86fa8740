//! What holds wherever the operator dies, and whatever becomes of the letters.

use std::{collections::BTreeMap, time::Duration};

use proptest::{collection::vec, prelude::*};
use serde_json::json;
use time::OffsetDateTime;

use super::*;
use crate::resource::{Phase, Redrive};

/// What becomes of a letter that is settled again.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Settled,
    DiesAgain,
}

/// Where a turn of the operator ends.
#[derive(Debug, Clone, Copy)]
enum Crash {
    Nowhere,
    /// After the look, before anything is written.
    AfterTheLook,
    /// After the status is written, before the action.
    AfterTheWrite,
}

/// A service with dead letters.
struct Service {
    fates: BTreeMap<i64, Fate>,
    letters: BTreeMap<i64, Letter>,
    /// The record of the one request that it has taken.
    log: Option<i64>,
    /// How often each letter was settled again.
    tried: BTreeMap<i64, u32>,
}

impl Service {
    fn new(fates: &[Fate]) -> Self {
        let letter = |id| Letter {
            id,
            attempts: 1,
            mark: Mark::None,
            kind: None,
            reason: "exhausted".into(),
            detail: String::new(),
            trace_id: None,
        };
        let fates: BTreeMap<_, _> = (1..).zip(fates.iter().copied()).collect();
        Self {
            letters: fates.keys().map(|id| (*id, letter(*id))).collect(),
            fates,
            log: None,
            tried: BTreeMap::new(),
        }
    }

    fn answer(&self, question: &Question) -> Seen {
        match question {
            Question::Matching => Seen::Matching {
                matched: i64::try_from(self.letters.len()).unwrap(),
                letters: self.letters.values().cloned().collect(),
            },
            Question::Following { ids } => Seen::Following {
                operation_id: self.log,
                died_again: 0,
                letters: ids
                    .iter()
                    .filter_map(|id| self.letters.get(id))
                    .cloned()
                    .collect(),
            },
            Question::Nothing => Seen::Nothing,
        }
    }

    fn act(&mut self, action: &Action) {
        let (ids, is_marked) = match action {
            Action::Redrive { ids } => (ids, true),
            Action::TakeBack { ids } => (ids, false),
            Action::Remove => return,
        };
        // Under the same id nothing is done twice.
        if is_marked && self.log.is_some() {
            return;
        }
        for id in ids {
            if let Some(letter) = self.letters.get_mut(id) {
                letter.mark = if is_marked { Mark::Own } else { Mark::None };
            }
        }
        if is_marked {
            self.log = Some(1);
        }
    }

    /// Settles some of what is marked.
    fn settle(&mut self, count: usize) {
        let marked = self
            .letters
            .values()
            .filter(|letter| letter.mark == Mark::Own);
        let due: Vec<_> = marked.map(|letter| letter.id).take(count).collect();
        for id in due {
            *self.tried.entry(id).or_default() += 1;
            match self.fates[&id] {
                Fate::Settled => {
                    self.letters.remove(&id);
                }
                Fate::DiesAgain => {
                    let letter = self.letters.get_mut(&id).unwrap();
                    letter.mark = Mark::None;
                    letter.attempts += 1;
                }
            }
        }
    }
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![6 => Just(Fate::Settled), 1 => Just(Fate::DiesAgain)]
}

fn turn() -> impl Strategy<Value = (Crash, usize)> {
    let crash = prop_oneof![
        2 => Just(Crash::Nowhere),
        1 => Just(Crash::AfterTheLook),
        1 => Just(Crash::AfterTheWrite),
    ];
    (crash, 0_usize..4)
}

/// A turn of the operator; what it knows is what is written.
fn operate(
    redrive: &mut Redrive,
    service: &mut Service,
    crash: Crash,
    now: OffsetDateTime,
) -> bool {
    let step = step(redrive, &service.answer(&question(redrive)), now);
    if matches!(crash, Crash::AfterTheLook) {
        return false;
    }
    redrive.status = Some(step.status);
    if matches!(crash, Crash::AfterTheWrite) {
        return false;
    }
    if let Some(action) = &step.action {
        service.act(action);
        return *action == Action::Remove;
    }
    false
}

proptest! {
    #[test]
    fn every_letter_is_tried_at_most_once_and_it_always_ends(
        fates in vec(fate(), 0..20),
        limit in 1_usize..25,
        turns in vec(turn(), 0..40),
        dry_run in prop::bool::weighted(0.1),
    ) {
        let mut service = Service::new(&fates);
        let spec = json!({"service": "payment", "limit": limit, "dryRun": dry_run});
        let mut redrive = Redrive::new("some", serde_json::from_value(spec).unwrap());
        let mut now = OffsetDateTime::UNIX_EPOCH;
        // However it goes at first, in the end the operator stays up for long enough.
        let calm = std::iter::repeat_n((Crash::Nowhere, 1), 60);
        for (crash, settled) in turns.into_iter().chain(calm) {
            operate(&mut redrive, &mut service, crash, now);
            service.settle(settled);
            now += Duration::from_secs(2);
        }

        prop_assert!(service.tried.values().all(|times| *times == 1), "{:?}", service.tried);
        prop_assert!(service.letters.values().all(|letter| letter.mark == Mark::None));
        let status = redrive.status.clone().unwrap();
        let [matched, done, died, left] =
            [status.matched, status.done, status.died_again, status.left].map(Option::unwrap);
        prop_assert_eq!(matched, i64::try_from(fates.len()).unwrap());
        prop_assert_eq!(done + died + left, matched);
        prop_assert_eq!(done, matched - i64::try_from(service.letters.len()).unwrap());
        let chosen = fates.iter().take(limit);
        let dies = chosen.filter(|fate| matches!(fate, Fate::DiesAgain)).count();
        if dry_run || dies == 0 {
            prop_assert_eq!(status.phase, Some(Phase::Complete));
        } else {
            prop_assert_eq!(status.phase, Some(Phase::Failed));
            prop_assert!(died > 0);
        }
        if dry_run {
            prop_assert!(service.tried.is_empty());
        } else if dies == 0 {
            prop_assert_eq!(done, i64::try_from(fates.len().min(limit)).unwrap());
        }

        now += Duration::from_hours(24);
        prop_assert!(operate(&mut redrive, &mut service, Crash::Nowhere, now));
    }
}
