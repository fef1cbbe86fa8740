//! What holds whatever is observed.

use std::time::Duration;

use proptest::{collection::vec, option, prelude::*};
use time::OffsetDateTime;

use super::*;
use crate::simulator::{LIMITS, Relay, play_load};

/// How often is decided, in seconds.
const EVERY: u64 = 20;

fn limits() -> impl Strategy<Value = Limits> {
    (1_u32..8, 0_u32..70, 1_u64..60, 100_u64..50_000, 30_u64..600).prop_map(
        |(min, more, age, backlog_per_replica, stabilisation)| Limits {
            min,
            max: min + more,
            target_age: Duration::from_secs(age),
            backlog_per_replica,
            stabilisation: Duration::from_secs(stabilisation),
        },
    )
}

fn outbox() -> impl Strategy<Value = Outbox> {
    let broker = prop_oneof![
        8 => Just(Broker::Accepting),
        1 => Just(Broker::Blocked),
        1 => Just(Broker::Unreachable),
    ];
    (
        prop_oneof![Just(0), 0_u64..200_000],
        prop_oneof![Just(0), 0_u64..100_000],
        0_u32..80,
        option::of(0_u64..50_000),
        broker,
    )
        .prop_map(
            |(age, backlog, live_relays, published_per_second, broker)| Outbox {
                oldest_age: Duration::from_millis(age),
                backlog,
                live_relays,
                lanes: 64,
                broker,
                published_per_second,
            },
        )
}

/// An outbox, or none; and whether just as many relays live as there are to be.
fn seen() -> impl Strategy<Value = (Option<Outbox>, bool)> {
    (option::weighted(0.95, outbox()), prop::bool::weighted(0.8))
}

/// Decides about one after the other, and gives what was observed and decided each time.
fn run(
    limits: &Limits,
    replicas: u32,
    seen: &[(Option<Outbox>, bool)],
) -> Vec<(Observed, Decision)> {
    let mut replicas = replicas;
    let mut recent = Recent::default();
    let mut run = Vec::new();
    for (turn, (outbox, is_level)) in (0..).zip(seen) {
        let source = match *outbox {
            Some(outbox) if *is_level => Source::Read(Outbox {
                live_relays: replicas,
                ..outbox
            }),
            Some(outbox) => Source::Read(outbox),
            None => Source::Away { why: String::new() },
        };
        let observed = Observed {
            replicas,
            source,
            recent,
        };
        let decision = plan(&observed, limits, at(turn));
        replicas = decision.replicas;
        recent = decision.recent.clone();
        run.push((observed, decision));
    }
    run
}

fn at(turn: u64) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Duration::from_secs(turn * EVERY)
}

proptest! {
    #[test]
    fn the_number_is_always_within_the_limits_and_the_lanes(
        limits in limits(),
        replicas in 1_u32..100,
        seen in vec(seen(), 1..40),
    ) {
        for (_, decision) in run(&limits, replicas, &seen) {
            prop_assert!(decision.replicas >= limits.min);
            prop_assert!(decision.replicas <= limits.max.min(64));
        }
    }

    #[test]
    fn who_waits_longer_never_gets_fewer(
        limits in limits(),
        replicas in 1_u32..64,
        before in vec(seen(), 0..20),
        outbox in outbox(),
        longer in 0_u64..100_000,
        is_level: bool,
    ) {
        let decisions = run(&limits, replicas, &before);
        let last = decisions.last().map(|(_, decision)| decision.clone());
        let replicas = last.as_ref().map_or(replicas, |last| last.replicas);
        let decide = |oldest_age| {
            let live_relays = if is_level { replicas } else { outbox.live_relays };
            let source = Source::Read(Outbox { oldest_age, live_relays, ..outbox });
            let recent = last.as_ref().map_or_else(Recent::default, |last| last.recent.clone());
            plan(&Observed { replicas, source, recent }, &limits, at(before.len() as u64)).replicas
        };
        let longer = outbox.oldest_age + Duration::from_millis(longer);
        prop_assert!(decide(outbox.oldest_age) <= decide(longer));
    }

    #[test]
    fn after_a_step_up_none_goes_before_a_whole_window(
        limits in limits(),
        seen in vec(seen(), 1..80),
    ) {
        let mut last_up = None;
        for (turn, (observed, decision)) in (0..).zip(run(&limits, limits.min.min(64), &seen)) {
            if decision.replicas > observed.replicas {
                last_up = Some(at(turn));
            }
            if decision.replicas < observed.replicas {
                prop_assert_eq!(decision.replicas + 1, observed.replicas);
                prop_assert!(last_up.is_none_or(|up| at(turn) - up >= limits.stabilisation));
            }
        }
    }

    #[test]
    fn nothing_is_added_while_the_broker_or_the_source_is_away(
        limits in limits(),
        seen in vec(seen(), 1..40),
    ) {
        for (observed, decision) in run(&limits, limits.min.min(64), &seen) {
            let is_away = match &observed.source {
                Source::Away { .. } => true,
                Source::Read(outbox) => outbox.broker != Broker::Accepting,
            };
            prop_assert!(!is_away || decision.replicas == observed.replicas);
        }
    }

    #[test]
    fn what_is_remembered_stays_small(limits in limits(), seen in vec(seen(), 1..80)) {
        for (_, decision) in run(&limits, 1, &seen) {
            prop_assert!(decision.recent.remembered() <= 65);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Under a load that can be carried, the number of relays and the age come to rest.
    #[test]
    fn a_constant_load_is_met_and_then_nothing_moves(
        percent in 0_u64..85,
        each in prop_oneof![Just(200_u64), Just(1_000), Just(3_000)],
        max in 1_u32..20,
    ) {
        let limits = Limits { max, ..LIMITS };
        let load = each * u64::from(max) * percent / 100;
        let relay = Relay { each, all: u64::MAX };
        let moments = play_load(3_600, relay, &limits, |_| (load, Broker::Accepting));
        let last = &moments[moments.len() / 2..];
        prop_assert!(last.iter().all(|moment| moment.replicas == last[0].replicas), "{:?}", last);
        prop_assert!(last.iter().all(|moment| moment.age_seconds <= 5), "{:?}", last);
    }
}
