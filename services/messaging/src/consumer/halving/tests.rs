//! Batches with any mixture of good events and culprits, settled as the consumer does.

use proptest::prelude::*;

use super::*;
use crate::failure::ReasonClass;

/// What an event does to the transaction that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nature {
    Good,
    /// The database refuses its values.
    Permanent,
    /// It fails for a passing cause, and goes on doing so.
    Passing,
}

/// What became of a batch.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    /// How often each event was settled.
    settled: Vec<u32>,
    permanent: Vec<usize>,
    passing: Vec<usize>,
    transactions: usize,
    /// Whether it ended as the moment's fault.
    gave_up: bool,
}

fn fail(natures: &[Nature]) -> Result<(), Failure> {
    match natures.iter().find(|nature| **nature != Nature::Good) {
        None => Ok(()),
        Some(Nature::Permanent) => Err(Failure::Permanent(Rejection::new(
            ReasonClass::Database,
            "refused",
        ))),
        Some(_) => Err(Failure::Transient("not now".into())),
    }
}

fn settle(natures: &[Nature], evidence: Evidence) -> Outcome {
    let mut outcome = Outcome {
        settled: vec![0; natures.len()],
        ..Outcome::default()
    };
    let mut halving = Halving::new(natures.len(), evidence);
    while let Some(part) = halving.next_part() {
        outcome.transactions += 1;
        match fail(&natures[part.clone()]) {
            Ok(()) => {
                halving.settled(part.len() as u64);
                for place in part {
                    outcome.settled[place] += 1;
                }
            }
            Err(failure) => {
                if halving.failed(part, failure).is_err() {
                    outcome.gave_up = true;
                    return outcome;
                }
            }
        }
    }
    match halving.finish() {
        Ok(culprits) => {
            for (place, cause) in culprits {
                match cause {
                    Cause::Permanent(_) => outcome.permanent.push(place),
                    Cause::Passing(_) => outcome.passing.push(place),
                }
            }
        }
        Err(_) => outcome.gave_up = true,
    }
    outcome
}

fn places(natures: &[Nature], wanted: Nature) -> Vec<usize> {
    let all = natures.iter().enumerate();
    all.filter(|(_, nature)| **nature == wanted)
        .map(|(place, _)| place)
        .collect()
}

fn natures() -> impl Strategy<Value = Vec<Nature>> {
    let nature = prop_oneof![
        20 => Just(Nature::Good),
        1 => Just(Nature::Permanent),
        1 => Just(Nature::Passing),
    ];
    proptest::collection::vec(nature, 0..500)
}

proptest! {
    #[test]
    fn exactly_the_culprits_are_set_aside_and_everything_else_is_settled_once(natures in natures()) {
        let outcome = settle(&natures, Evidence::OthersSettled);
        let good: Vec<u32> = natures.iter().map(|nature| u32::from(*nature == Nature::Good)).collect();
        if outcome.gave_up {
            prop_assert!(natures.contains(&Nature::Passing));
            prop_assert_eq!(outcome.settled, vec![0; natures.len()], "nothing was settled, so nothing proves a culprit");
        } else {
            prop_assert_eq!(outcome.settled, good);
            prop_assert_eq!(outcome.permanent, places(&natures, Nature::Permanent));
            prop_assert_eq!(outcome.passing, places(&natures, Nature::Passing));
        }
    }

    #[test]
    fn one_culprit_among_any_number_of_good_events_is_always_found(
        count in 2_usize..=500,
        place in any::<prop::sample::Index>(),
        culprit in prop_oneof![Just(Nature::Permanent), Just(Nature::Passing)],
    ) {
        let mut natures = vec![Nature::Good; count];
        let place = place.index(count);
        natures[place] = culprit;
        let outcome = settle(&natures, Evidence::OthersSettled);
        prop_assert!(!outcome.gave_up);
        let found = if culprit == Nature::Passing { outcome.passing } else { outcome.permanent };
        prop_assert_eq!(found, vec![place]);
        prop_assert!(outcome.transactions <= 20, "{}", outcome.transactions);
    }
}

#[test]
fn a_moment_in_which_nothing_can_be_settled_blames_no_event_and_costs_few_transactions() {
    let outcome = settle(&[Nature::Passing; 500], Evidence::OthersSettled);
    assert!(outcome.gave_up);
    assert!(outcome.transactions <= 17, "{}", outcome.transactions);
}

#[test]
fn an_event_alone_is_to_blame_only_where_nothing_needs_to_be_proven() {
    assert!(settle(&[Nature::Passing], Evidence::OthersSettled).gave_up);
    assert_eq!(settle(&[Nature::Passing], Evidence::None).passing, [0]);
    assert_eq!(
        settle(&[Nature::Permanent], Evidence::OthersSettled).permanent,
        [0]
    );
}

#[test]
fn a_database_that_is_away_ends_the_attempt_at_once() {
    let mut halving = Halving::new(500, Evidence::None);
    let part = halving.next_part().unwrap();
    let failed = halving.failed(part, Failure::Away("gone".into()));
    assert!(matches!(failed, Err(Failure::Away(_))));
}
