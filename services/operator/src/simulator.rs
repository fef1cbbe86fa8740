//! A simulator: load curves played against the decisions, in no time and always the same.
//!
//! Relays here publish so many events per second each, the oldest first, some seconds after they are asked for. That is coarse,
//! and enough to see what a change of the rules does to how long customers wait.

mod curve;
mod picture;

pub use self::{
    curve::{CURVES, Curve, Relay},
    picture::picture,
};

use std::{collections::VecDeque, fmt::Write as _, time::Duration};

use time::OffsetDateTime;

use crate::scaling::{Broker, Limits, Observed, Outbox, Reason, Recent, Source, plan};

/// How often is decided.
pub const EVERY_SECONDS: u32 = 5;

/// How long a relay takes from being asked for to publishing.
const START_SECONDS: u32 = 6;

/// The limits that the curves are played under.
pub const LIMITS: Limits = Limits {
    min: 1,
    max: 12,
    target_age: Duration::from_secs(5),
    backlog_per_replica: 20_000,
    stabilisation: Duration::from_mins(2),
};

/// A moment: after what was decided in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Seconds since the beginning.
    pub second: u32,
    /// How many events came in this second.
    pub arriving: u64,
    /// How many events wait.
    pub backlog: u64,
    /// How long the oldest waits, in seconds.
    pub age_seconds: u32,
    /// How many relays there are to be.
    pub replicas: u32,
    /// Why.
    pub reason: Reason,
}

/// Plays a curve, and gives a moment per decision.
#[must_use]
pub fn play(curve: &Curve, limits: &Limits) -> Vec<Moment> {
    play_load(curve.seconds, curve.relay, limits, |second| {
        ((curve.arriving)(second), (curve.broker)(second))
    })
}

/// Plays whatever comes in each second, and whatever the broker does in it.
pub(crate) fn play_load(
    seconds: u32,
    relay: Relay,
    limits: &Limits,
    load: impl Fn(u32) -> (u64, Broker),
) -> Vec<Moment> {
    let mut world = World::new(limits.min);
    let mut recent = Recent::default();
    let mut moments = Vec::new();
    for second in 0..seconds {
        let (arriving, broker) = load(second);
        world.advance(
            second,
            arriving,
            (broker == Broker::Accepting).then_some(relay),
        );
        if second % EVERY_SECONDS != 0 {
            continue;
        }
        let observed = Observed {
            replicas: world.replicas(),
            source: Source::Read(world.look(second, broker)),
            recent,
        };
        let now = OffsetDateTime::UNIX_EPOCH + Duration::from_secs(second.into());
        let decision = plan(&observed, limits, now);
        world.scale(decision.replicas, second);
        recent = decision.recent;
        moments.push(Moment {
            second,
            arriving,
            backlog: world.backlog(),
            age_seconds: world.age(second),
            replicas: decision.replicas,
            reason: decision.reason,
        });
    }
    moments
}

/// The moments of a curve as a table: one line each minute, and one wherever the number of relays changes.
#[must_use]
pub fn table(curve: &Curve, moments: &[Moment]) -> String {
    let mut text = format!("{}\n", curve.title);
    let _ = writeln!(
        text,
        "{:>6} {:>9} {:>9} {:>6} {:>7}  why",
        "second", "arriving", "backlog", "age", "relays"
    );
    let mut before = None;
    for moment in moments {
        let is_change = before.is_some_and(|before| before != moment.replicas);
        before = Some(moment.replicas);
        if !is_change && !moment.second.is_multiple_of(60) {
            continue;
        }
        let _ = writeln!(
            text,
            "{:>6} {:>7}/s {:>9} {:>5}s {:>7}  {}",
            moment.second,
            moment.arriving,
            moment.backlog,
            moment.age_seconds,
            moment.replicas,
            moment.reason
        );
    }
    text
}

/// An outbox and its relays.
struct World {
    /// Events that wait, by the second in which they came.
    waiting: VecDeque<(u32, u64)>,
    /// From which second each relay publishes.
    relays: Vec<u32>,
    /// How many were published in each of the last seconds.
    published: VecDeque<u64>,
}

impl World {
    fn new(relays: u32) -> Self {
        Self {
            waiting: VecDeque::new(),
            relays: vec![0; relays as usize],
            published: VecDeque::new(),
        }
    }

    fn replicas(&self) -> u32 {
        u32::try_from(self.relays.len()).expect("no more relays than lanes")
    }

    fn live(&self, second: u32) -> u32 {
        let live = self.relays.iter().filter(|from| **from <= second).count();
        u32::try_from(live).expect("no more relays than lanes")
    }

    fn scale(&mut self, replicas: u32, second: u32) {
        self.relays
            .resize(replicas as usize, second + START_SECONDS);
    }

    fn backlog(&self) -> u64 {
        self.waiting.iter().map(|(_, events)| events).sum()
    }

    fn age(&self, second: u32) -> u32 {
        self.waiting.front().map_or(0, |(came, _)| second - came)
    }

    /// Events come, and what the relays can is published, the oldest first.
    fn advance(&mut self, second: u32, arriving: u64, relay: Option<Relay>) {
        if arriving > 0 {
            self.waiting.push_back((second, arriving));
        }
        let can = relay.map_or(0, |relay| relay.publishes(self.live(second)));
        let mut room = can;
        while room > 0
            && let Some((_, events)) = self.waiting.front_mut()
        {
            let taken = room.min(*events);
            *events -= taken;
            room -= taken;
            if *events == 0 {
                self.waiting.pop_front();
            }
        }
        self.published.push_back(can - room);
        if self.published.len() > EVERY_SECONDS as usize {
            self.published.pop_front();
        }
    }

    fn look(&self, second: u32, broker: Broker) -> Outbox {
        let published: u64 = self.published.iter().sum();
        Outbox {
            oldest_age: Duration::from_secs(self.age(second).into()),
            backlog: self.backlog(),
            live_relays: self.live(second),
            lanes: 64,
            broker,
            published_per_second: Some(published / (self.published.len() as u64).max(1)),
        }
    }
}

#[cfg(test)]
mod tests;
