//! Single decisions, and what is said about them.

use std::time::Duration;

use time::OffsetDateTime;

use super::*;
use crate::resource::ConditionStatus;

const LIMITS: Limits = Limits {
    min: 2,
    max: 16,
    target_age: Duration::from_secs(5),
    backlog_per_replica: 1_000,
    stabilisation: Duration::from_mins(1),
};

const QUIET: Outbox = Outbox {
    oldest_age: Duration::ZERO,
    backlog: 0,
    live_relays: 4,
    lanes: 64,
    broker: Broker::Accepting,
    published_per_second: Some(0),
};

const LATE: Outbox = Outbox {
    oldest_age: Duration::from_secs(31),
    backlog: 500,
    published_per_second: None,
    ..QUIET
};

fn second(second: u64) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Duration::from_secs(second)
}

/// The decisions about outboxes that are seen one after the other, with seconds between them; relays come at once.
fn decisions(replicas: u32, every: u64, seen: impl IntoIterator<Item = Outbox>) -> Vec<Decision> {
    let mut observed = Observed {
        replicas,
        source: Source::Read(QUIET),
        recent: Recent::default(),
    };
    let mut decisions = Vec::new();
    for (turn, outbox) in (0..).zip(seen) {
        observed.source = Source::Read(Outbox {
            live_relays: observed.replicas,
            ..outbox
        });
        let decision = plan(&observed, &LIMITS, second(turn * every));
        observed.replicas = decision.replicas;
        observed.recent = decision.recent.clone();
        decisions.push(decision);
    }
    decisions
}

fn replicas(decisions: &[Decision]) -> Vec<u32> {
    decisions.iter().map(|decision| decision.replicas).collect()
}

#[test]
fn who_waits_too_long_gets_twice_as_many_once_the_last_ones_have_worked_for_a_moment() {
    let late = decisions(4, 3, [LATE; 6]);
    // The first look cannot know for how long the relays have been at work.
    assert_eq!(replicas(&late), [4, 4, 8, 8, 8, 16]);
    assert_eq!(
        late[2].reason.to_string(),
        "the oldest event waits 31s, the target is 5s"
    );
}

#[test]
fn a_backlog_gets_relays_before_anything_is_late() {
    let backlog = Outbox {
        backlog: 6_500,
        ..QUIET
    };
    assert_eq!(replicas(&decisions(4, 10, [backlog; 3])), [4, 7, 7]);
}

#[test]
fn around_the_target_nothing_moves() {
    for age in [2_500, 5_000, 5_500] {
        let near = Outbox {
            oldest_age: Duration::from_millis(age),
            ..QUIET
        };
        assert_eq!(replicas(&decisions(4, 60, [near; 4])), [4; 4], "{age}");
    }
}

#[test]
fn who_has_been_quiet_for_the_whole_window_loses_one_at_a_time() {
    let quiet = decisions(4, 20, [QUIET; 7]);
    assert_eq!(replicas(&quiet), [4, 4, 4, 3, 2, 2, 2]);
    assert_eq!(quiet[3].reason.to_string(), "fewer were enough for 60s");
    assert_eq!(quiet[6].reason, Reason::Enough);
}

#[test]
fn nobody_goes_while_another_hands_over() {
    let decided = |live_relays| {
        let mut recent = Recent::default();
        for at in [0, 20, 40] {
            recent.begin(4, second(at));
            recent.learn(&QUIET, 4, second(at));
        }
        let outbox = Outbox {
            live_relays,
            ..QUIET
        };
        let source = Source::Read(outbox);
        let observed = Observed {
            replicas: 4,
            source,
            recent,
        };
        let decision = plan(&observed, &LIMITS, second(60));
        (decision.replicas, verdicts(&observed, &decision)[3].status)
    };
    assert_eq!(decided(4), (3, ConditionStatus::True));
    assert_eq!(decided(5), (4, ConditionStatus::True));
}

#[test]
fn a_broker_that_takes_nothing_stops_every_change_and_is_told() {
    for (broker, word) in [
        (Broker::Blocked, "Blocked"),
        (Broker::Unreachable, "Unreachable"),
    ] {
        let away = Outbox { broker, ..LATE };
        let quiet = Outbox { broker, ..QUIET };
        for outbox in [away, quiet] {
            let decided = decisions(4, 30, [outbox; 5]);
            assert_eq!(replicas(&decided), [4; 5]);
            let observed = Observed {
                replicas: 4,
                source: Source::Read(outbox),
                recent: Recent::default(),
            };
            let verdicts = verdicts(&observed, &decided[4]);
            assert_eq!(verdicts[1].status, ConditionStatus::True);
            assert_eq!(verdicts[1].reason, word);
            assert_eq!(verdicts[0].status, ConditionStatus::False);
        }
    }
}

#[test]
fn when_the_broker_is_back_nobody_goes_before_a_whole_window() {
    let down = Outbox {
        broker: Broker::Unreachable,
        ..QUIET
    };
    let seen = [down, down, down, down, QUIET, QUIET, QUIET, QUIET];
    assert_eq!(replicas(&decisions(4, 20, seen)), [4, 4, 4, 4, 4, 4, 3, 2]);
}

#[test]
fn relays_that_published_no_more_get_no_company_for_a_while() {
    let slow = Outbox {
        published_per_second: Some(900),
        ..LATE
    };
    let decided = decisions(4, 10, [slow; 17]);
    assert_eq!(replicas(&decided[..3]), [4, 8, 8]);
    assert_eq!(decided[3].reason, Reason::NoGain);
    assert_eq!(replicas(&decided[3..14]), [8; 11]);
    // Then it is tried once more, with one.
    assert_eq!(decided.last().unwrap().replicas, 9);
}

#[test]
fn a_step_that_gained_nothing_is_told_as_that_and_not_as_a_broker_that_is_away() {
    let slow = Outbox {
        published_per_second: Some(900),
        ..LATE
    };
    let decided = decisions(4, 10, [slow; 4]);
    let observed = Observed {
        replicas: 8,
        source: Source::Read(Outbox {
            live_relays: 8,
            ..slow
        }),
        recent: Recent::default(),
    };
    let [ready, broker, ..] = verdicts(&observed, &decided[3]);
    assert_eq!(
        (ready.status, ready.reason),
        (ConditionStatus::True, "NoGain")
    );
    assert_eq!(broker.status, ConditionStatus::False);
}

#[test]
fn who_acts_next_adds_no_relays_that_have_gained_nothing_before() {
    let slow = Outbox {
        published_per_second: Some(900),
        ..LATE
    };
    let before = decisions(4, 10, [slow; 4]);
    let mut recent = Recent::after(&before[3].recent.learned().unwrap());
    for at in [40, 50, 60] {
        let source = Source::Read(Outbox {
            live_relays: 8,
            ..slow
        });
        let observed = Observed {
            replicas: 8,
            source,
            recent,
        };
        let decision = plan(&observed, &LIMITS, second(at));
        assert_eq!(decision.replicas, 8);
        recent = decision.recent;
    }
}

#[test]
fn relays_that_do_not_come_get_no_company() {
    let missing = Outbox {
        live_relays: 3,
        ..LATE
    };
    let mut observed = Observed {
        replicas: 4,
        source: Source::Read(missing),
        recent: Recent::default(),
    };
    for turn in 0..20 {
        let decision = plan(&observed, &LIMITS, second(turn * 10));
        assert_eq!(decision.replicas, 4);
        let reason = decision.reason.to_string();
        assert_eq!(reason, "the relays have only just begun: 3 of 4 live");
        assert_eq!(verdicts(&observed, &decision)[0].reason, "RelaysMissing");
        observed.recent = decision.recent;
    }
}

#[test]
fn one_relay_that_never_comes_does_not_keep_the_others_when_all_is_quiet() {
    let mut observed = Observed {
        replicas: 4,
        source: Source::Read(QUIET),
        recent: Recent::default(),
    };
    for turn in 0..40 {
        observed.source = Source::Read(Outbox {
            live_relays: observed.replicas - 1,
            ..QUIET
        });
        let decision = plan(&observed, &LIMITS, second(turn * 10));
        observed.replicas = decision.replicas;
        observed.recent = decision.recent;
    }
    assert_eq!(observed.replicas, LIMITS.min);
}

#[test]
fn who_sees_nothing_changes_nothing() {
    let mut observed = Observed {
        replicas: 5,
        source: Source::Away {
            why: "the order service does not answer".into(),
        },
        recent: Recent::default(),
    };
    for turn in 0..20 {
        let decision = plan(&observed, &LIMITS, second(turn * 30));
        assert_eq!(
            (decision.replicas, decision.reason),
            (5, Reason::SourceAway)
        );
        let verdicts = verdicts(&observed, &decision);
        assert_eq!(verdicts[2].status, ConditionStatus::True);
        assert_eq!(verdicts[2].message, "the order service does not answer");
        assert!([0, 1, 3].map(|at| verdicts[at].status) == [ConditionStatus::Unknown; 3]);
        observed.recent = decision.recent;
    }
}

#[test]
fn limits_hold_at_once_and_an_outbox_without_so_many_lanes_gets_fewer() {
    let away = Source::Away { why: String::new() };
    let narrow = Source::Read(Outbox { lanes: 3, ..LATE });
    for (replicas, source, expected) in [
        (1, &away, 2),
        (40, &away, 16),
        (9, &narrow, 3),
        (0, &away, 0),
    ] {
        let observed = Observed {
            replicas,
            source: source.clone(),
            recent: Recent::default(),
        };
        assert_eq!(plan(&observed, &LIMITS, second(0)).replicas, expected);
    }
}

#[test]
fn a_constant_rate_keeps_the_relays_it_needs() {
    let busy = Outbox {
        backlog: 10_000,
        published_per_second: Some(4_000),
        ..LATE
    };
    let done = Outbox {
        published_per_second: Some(2_000),
        ..QUIET
    };
    // All four were busy at 1,000 each, so a rate of 2,000 needs three of them with a tenth to spare.
    let seen = [busy, busy].into_iter().chain([done; 40]);
    assert_eq!(decisions(4, 10, seen).last().unwrap().replicas, 3);
}
