//! The decision.

use time::OffsetDateTime;

use super::{Broker, Limits, Observed, Outbox, Reason, Recent, Source};

/// How many relays there are to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The number.
    pub replicas: u32,
    /// Why.
    pub reason: Reason,
    /// What the next decision has to know.
    pub recent: Recent,
}

/// Decides how many relays there are to be.
#[must_use]
pub fn plan(observed: &Observed, limits: &Limits, now: OffsetDateTime) -> Decision {
    let current = observed.replicas;
    let mut recent = observed.recent.clone();
    if current == 0 {
        return Decision {
            replicas: 0,
            reason: Reason::SwitchedOff,
            recent: Recent::default(),
        };
    }
    recent.begin(current, now);
    let allowed = limits.clamp(current, observed.lanes());
    if allowed != current {
        recent.changed(now);
        let (min, max) = (
            limits.clamp(0, observed.lanes()),
            limits.clamp(u32::MAX, observed.lanes()),
        );
        return Decision {
            replicas: allowed,
            reason: Reason::Limits { min, max },
            recent,
        };
    }
    let (replicas, reason) = match &observed.source {
        Source::Away { .. } => {
            recent.peak(current, limits.stabilisation, now);
            (current, Reason::SourceAway)
        }
        Source::Read(outbox) => {
            recent.learn(outbox, current, now);
            decide(outbox, current, limits, &mut recent, now)
        }
    };
    Decision {
        replicas,
        reason,
        recent,
    }
}

fn decide(
    outbox: &Outbox,
    current: u32,
    limits: &Limits,
    recent: &mut Recent,
    now: OffsetDateTime,
) -> (u32, Reason) {
    let (wish, why) = wish(outbox, current, limits, recent);
    let wanted = limits.clamp(wish, outbox.lanes);
    let broker = match outbox.broker {
        Broker::Accepting => None,
        Broker::Blocked => Some(Reason::BrokerBlocked),
        Broker::Unreachable => Some(Reason::BrokerUnreachable),
    };
    // While the broker takes nothing the backlog says nothing about relays, and all of them are needed when it is back.
    let remembered = if broker.is_some() {
        wanted.max(current)
    } else {
        wanted
    };
    let peak = recent.peak(remembered, limits.stabilisation, now);
    if let Some(reason) = broker {
        return (current, reason);
    }
    if wanted > current {
        return up(outbox, wanted, current, why, recent, now);
    }
    if wish > current {
        return (current, Reason::AtMax { max: current });
    }
    down(outbox, (wanted, peak), current, limits, recent, now)
}

/// How many relays would be right, were there no limits, and what asks for most.
fn wish(outbox: &Outbox, current: u32, limits: &Limits, recent: &Recent) -> (u32, Reason) {
    let by_age = wish_by_age(outbox, current, limits);
    let by_backlog = outbox.backlog.div_ceil(limits.backlog_per_replica);
    let by_backlog = u32::try_from(by_backlog).unwrap_or(u32::MAX);
    // What the rate needs keeps relays and adds none: while nothing waits too long there are enough.
    let by_rate = recent.needed(outbox).min(current);
    if by_age >= by_backlog.max(by_rate) {
        let reason = Reason::TooOld {
            age: outbox.oldest_age,
            target: limits.target_age,
        };
        return (by_age, reason);
    }
    let reason = Reason::Backlog {
        backlog: outbox.backlog,
        per_replica: limits.backlog_per_replica,
    };
    (by_backlog.max(by_rate), reason)
}

/// More by as much as the target is exceeded, at most twice as many; the same around the target, so that it is no edge; and
/// no opinion well below it.
fn wish_by_age(outbox: &Outbox, current: u32, limits: &Limits) -> u32 {
    let (age, target) = (outbox.oldest_age, limits.target_age);
    if age * 10 > target * 11 {
        let excess = (age.as_secs_f64() / target.as_secs_f64() - 1.0).min(1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and the number there is"
        )]
        let more = (f64::from(current) * excess).ceil() as u32;
        current + more.max(1)
    } else if age * 2 >= target {
        current
    } else {
        0
    }
}

fn up(
    outbox: &Outbox,
    wanted: u32,
    current: u32,
    why: Reason,
    recent: &mut Recent,
    now: OffsetDateTime,
) -> (u32, Reason) {
    if !recent.is_settled(now) {
        let reason = Reason::Settling {
            live: outbox.live_relays,
            replicas: current,
        };
        return (current, reason);
    }
    if recent.is_waiting_for_gain(now) {
        return (current, Reason::NoGain);
    }
    let replicas = wanted.min(current + recent.stride(current));
    recent.raised(outbox, current, replicas, now);
    (replicas, why)
}

fn down(
    outbox: &Outbox,
    (wanted, peak): (u32, u32),
    current: u32,
    limits: &Limits,
    recent: &mut Recent,
    now: OffsetDateTime,
) -> (u32, Reason) {
    let window = limits.stabilisation;
    if peak >= current {
        let reason = if wanted == current {
            Reason::Enough
        } else {
            Reason::Stabilising { peak, window }
        };
        return (current, reason);
    }
    // One that never comes does not keep the others: only those that go are waited for.
    if outbox.live_relays > current || recent.has_just_changed(now) {
        return (current, Reason::HandingOver);
    }
    recent.changed(now);
    (current - 1, Reason::Quiet { window })
}
