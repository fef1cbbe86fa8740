//! What a decision leaves behind for the next one.
//!
//! What was learned of the relays stands in the resource's status too, and is read back by whoever acts next: without it an
//! operator would take relays away that are needed, and add such that gain nothing. The rest lives in the operator's memory alone.
//! After a restart it is empty, which only means that steps down wait for a whole window again and a step up for a moment:
//! nothing is decided too early for want of it.

use std::{collections::VecDeque, time::Duration};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Broker, Outbox};
use crate::resource::{Learned, instant};

/// How long new relays work before their number is judged: they take lanes over, connect and read.
pub(super) const SETTLE: Duration = Duration::from_secs(5);

/// For how long no more relays are added after a step that published no more; twice as long each time it happens again.
const NO_GAIN: Duration = Duration::from_mins(2);

/// How often that doubles: up to half an hour.
const NO_GAIN_DOUBLINGS: u32 = 4;

/// What earlier decisions left behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recent {
    /// How many relays were wanted and when, as far back as the window: newest last, numbers falling.
    wanted: VecDeque<(OffsetDateTime, u32)>,
    /// When the number of relays was last changed.
    changed_at: Option<OffsetDateTime>,
    /// Since when at least as many relays live as there are to be.
    level_since: Option<OffsetDateTime>,
    /// The last step up, until it is judged.
    step: Option<Step>,
    /// Until when no more relays are added, for the last step gained nothing.
    no_gain_until: Option<OffsetDateTime>,
    /// How many steps in a row gained nothing.
    no_gains: u32,
    /// How many events per second one relay publishes when all are busy, thousandths of an event.
    capacity: Option<u64>,
}

/// A step up, and what was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    from: u32,
    to: u32,
    published_per_second: Option<u64>,
    backlog: u64,
}

impl Recent {
    /// Nothing but what a status says was learned; what cannot be read was not.
    #[must_use]
    pub fn after(learned: &Learned) -> Self {
        let until = learned.no_gain_until.as_deref();
        let capacity = learned.relay_events_per_thousand_seconds;
        Self {
            no_gain_until: until.and_then(|until| OffsetDateTime::parse(until, &Rfc3339).ok()),
            no_gains: learned.no_gains.max(0).unsigned_abs(),
            capacity: capacity.and_then(|events| u64::try_from(events.max(1)).ok()),
            ..Self::default()
        }
    }

    /// What the next operator is to know; none where nothing was learned.
    #[must_use]
    pub fn learned(&self) -> Option<Learned> {
        let learned = Learned {
            relay_events_per_thousand_seconds: self
                .capacity
                .and_then(|events| i64::try_from(events).ok()),
            no_gain_until: self.no_gain_until.map(instant),
            no_gains: i32::try_from(self.no_gains).unwrap_or(i32::MAX),
        };
        (learned != Learned::default()).then_some(learned)
    }

    /// The first decision begins a window with the number that is.
    pub(super) fn begin(&mut self, replicas: u32, now: OffsetDateTime) {
        if self.wanted.is_empty() {
            self.wanted.push_back((now, replicas));
        }
    }

    /// Takes in what the outbox says.
    pub(super) fn learn(&mut self, outbox: &Outbox, replicas: u32, now: OffsetDateTime) {
        if outbox.live_relays < replicas || outbox.broker != Broker::Accepting {
            self.level_since = None;
            return;
        }
        self.level_since.get_or_insert(now);
        if !self.is_settled(now) {
            return;
        }
        if let Some(step) = self.step.take() {
            self.judge(step, outbox, now);
        }
        self.learn_capacity(outbox);
    }

    fn judge(&mut self, step: Step, outbox: &Outbox, now: OffsetDateTime) {
        if step.gained_nothing(outbox) {
            let pause = NO_GAIN * 2_u32.pow(self.no_gains.min(NO_GAIN_DOUBLINGS));
            self.no_gain_until = Some(now + pause);
            self.no_gains += 1;
        } else {
            self.no_gain_until = None;
            self.no_gains = 0;
        }
    }

    /// Where a second's worth of events waits all are busy, so what is published is what they can. A larger measurement is believed at once; a smaller one may be
    /// an unlucky moment, and moves it slowly.
    fn learn_capacity(&mut self, outbox: &Outbox) {
        let Some(rate) = outbox.published_per_second else {
            return;
        };
        if rate == 0 || outbox.backlog < rate {
            return;
        }
        let measured = rate.saturating_mul(1_000) / u64::from(outbox.live_relays.max(1));
        let kept = self.capacity.unwrap_or_default() / 20 * 19;
        self.capacity = Some(measured.max(kept).max(1));
    }

    /// How many relays the present rate needs with a tenth to spare, as far as it was ever learned.
    pub(super) fn needed(&self, outbox: &Outbox) -> u32 {
        let (Some(capacity), Some(rate)) = (self.capacity, outbox.published_per_second) else {
            return 0;
        };
        let needed = rate
            .saturating_mul(10_000)
            .div_ceil(capacity.saturating_mul(9));
        u32::try_from(needed).unwrap_or(u32::MAX)
    }

    /// Whether the relays that are to be have been there for a moment.
    pub(super) fn is_settled(&self, now: OffsetDateTime) -> bool {
        self.level_since.is_some_and(|since| now - since >= SETTLE) && !self.has_just_changed(now)
    }

    /// Whether the number of relays was changed a moment ago.
    pub(super) fn has_just_changed(&self, now: OffsetDateTime) -> bool {
        self.changed_at.is_some_and(|at| now - at < SETTLE)
    }

    /// How many numbers are remembered.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.wanted.len()
    }

    /// Whether the last step up published no more than before, and it is too early to try again.
    pub(super) fn is_waiting_for_gain(&self, now: OffsetDateTime) -> bool {
        self.no_gain_until.is_some_and(|until| now < until)
    }

    /// By how many relays the next step may grow at most: as many as there are, and just one where that gained nothing.
    pub(super) fn stride(&self, replicas: u32) -> u32 {
        if self.no_gains > 0 { 1 } else { replicas }
    }

    /// Remembers how many relays are wanted, and gives the most that were within the window.
    pub(super) fn peak(&mut self, wanted: u32, window: Duration, now: OffsetDateTime) -> u32 {
        while self
            .wanted
            .front()
            .is_some_and(|(at, _)| now - *at >= window)
        {
            self.wanted.pop_front();
        }
        // A smaller number before a larger one never is the peak again.
        while self
            .wanted
            .back()
            .is_some_and(|(_, older)| *older <= wanted)
        {
            self.wanted.pop_back();
        }
        self.wanted.push_back((now, wanted));
        self.wanted.front().map_or(wanted, |(_, peak)| *peak)
    }

    /// The number of relays is changed now.
    pub(super) fn changed(&mut self, now: OffsetDateTime) {
        self.changed_at = Some(now);
        self.step = None;
    }

    /// The number of relays is raised now, and is to be judged by this.
    pub(super) fn raised(&mut self, outbox: &Outbox, from: u32, to: u32, now: OffsetDateTime) {
        self.changed(now);
        self.level_since = None;
        self.step = Some(Step {
            from,
            to,
            published_per_second: outbox.published_per_second,
            backlog: outbox.backlog,
        });
    }
}

impl Step {
    /// Not a quarter of what so many more could publish is gained, and the backlog is no smaller. The age is not asked: it
    /// may still rise while a backlog falls.
    fn gained_nothing(self, outbox: &Outbox) -> bool {
        let (Some(before), Some(after)) = (self.published_per_second, outbox.published_per_second)
        else {
            return false;
        };
        let (from, more) = (u64::from(self.from), u64::from(self.to - self.from));
        let expected = before.saturating_mul(4 * from + more) / (4 * from);
        after < expected.max(before + 1) && outbox.backlog >= self.backlog
    }
}
