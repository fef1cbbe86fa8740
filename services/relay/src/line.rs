//! The line to the broker: what is under way, what must go again, and which types rest.
//!
//! Every answer is data. A confirm settles the rows. A refusal (returned: no queue takes the type; nacked: its queue
//! takes no more) lets that type rest, and with it the keys held behind its message; the other types flow. Silence and a
//! broken connection leave the outcome unknown: the same ids go again over a new connection.

mod log;
mod tenures;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::Duration,
};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use messaging::{
    fault_point::{self, FaultPoint},
    lease::{BrokerState, Lease, Report},
    metrics::Metrics,
    publish_log::{Answers, Logged},
    publisher::{Answer, Link, Publisher},
    span::Recorded,
};
use time::OffsetDateTime;
use tokio::time::Instant;
use uuid::Uuid;

use tenures::Tenures;

use crate::{
    metrics::LineMetrics,
    planner::{Next, Pending, Planned, Planner},
    relay::Settings,
    window::Window,
};

/// How long a refused type rests, doubled from the first to the last.
const REST: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// A message and what has become of it so far.
#[derive(Debug)]
pub(crate) struct Flight {
    planned: Planned,
    attempts: i32,
    answers: Answers,
    /// The lanes of its events, as owned when it was last sent.
    leases: Vec<Lease>,
    first_sent_at: OffsetDateTime,
    sent: Instant,
    /// Which of the line's connections it went over.
    connection: u64,
    /// Of its last attempt, until the answer; none unless a trace of its events is recorded.
    span: Option<Recorded>,
}

/// A flight and the broker's answer to it.
pub(crate) type Landed = (Flight, Answer);

/// A type whose queue refused a message.
#[derive(Debug)]
struct Rest {
    until: Instant,
    pause: Duration,
}

/// The line.
pub(crate) struct Line {
    pub publisher: Option<Publisher>,
    pub planner: Planner,
    window: Window,
    flying: FuturesUnordered<BoxFuture<'static, Landed>>,
    flying_of: HashMap<String, usize>,
    again: HashMap<String, VecDeque<Flight>>,
    rests: HashMap<String, Rest>,
    connections: u64,
    /// The lanes owned.
    owned: Tenures,
    /// Keys with parked events: all their later events are parked too.
    pub parked_keys: HashSet<Uuid>,
    /// Rows to be parked, the first of which fits into no message.
    pub to_park: Vec<Pending>,
    /// Rows that are settled, by read.
    pub settled: Vec<(u64, usize)>,
    /// Messages to be written down.
    pub log: Vec<Logged>,
    /// The connection is of no more use.
    pub broken: bool,
    /// The broker has no queue for some type, or not even the exchange.
    pub lacks_topology: bool,
    /// How the newest connection stands, also while the publisher is lent.
    link: Option<Link>,
    /// How many events were confirmed since the relay started.
    published: u64,
    relay: String,
    metrics: LineMetrics,
}

impl Line {
    pub(crate) fn new(settings: &Settings, metrics: &Metrics) -> Self {
        Self {
            publisher: None,
            planner: Planner::new(settings.events_per_message),
            window: Window::default(),
            flying: FuturesUnordered::new(),
            flying_of: HashMap::new(),
            again: HashMap::new(),
            rests: HashMap::new(),
            connections: 0,
            owned: Tenures::default(),
            parked_keys: HashSet::new(),
            to_park: Vec::new(),
            settled: Vec::new(),
            log: Vec::new(),
            broken: false,
            lacks_topology: false,
            link: None,
            published: 0,
            relay: settings.name.clone(),
            metrics: LineMetrics::new(metrics, settings.database),
        }
    }

    /// Takes a new connection into use.
    pub(crate) fn connected(&mut self, publisher: Publisher) {
        self.link = Some(publisher.link());
        self.publisher = Some(publisher);
        self.connections += 1;
        self.broken = false;
    }

    /// From now on only rows of these lanes are published; of those that were lost in between, only rows read from now on.
    pub(crate) fn owns(&mut self, leases: &[Lease]) {
        self.owned.continue_with(leases);
    }

    /// The epoch under which a lane is owned.
    pub(crate) fn epoch_of(&self, lane: i16) -> i64 {
        self.owned.epoch_of(lane)
    }

    /// Forgets everything that is not published: it will be read again.
    pub(crate) fn clear(&mut self) {
        self.planner.clear();
        self.flying.clear();
        self.flying_of.clear();
        self.again.clear();
        self.to_park.clear();
        self.settled.clear();
        self.owned = Tenures::default();
    }

    /// Nothing waits and nothing is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.flying.is_empty()
            && self.again.is_empty()
            && self.to_park.is_empty()
            && self.planner.waiting(|_| true) == 0
    }

    /// Something is under way, or goes as soon as there is room for it: it neither rests nor is held behind what does.
    pub(crate) fn is_moving(&self) -> bool {
        let goes = |kind: &str| !self.rests.contains_key(kind);
        !self.flying.is_empty()
            || self.again.keys().any(|kind| goes(kind))
            || self.planner.is_ready(goes)
    }

    /// There is no connection for what waits, or will: the next customer is not to be the one who finds out.
    pub(crate) fn needs_connection(&self) -> bool {
        let usable = self.publisher.as_ref().is_some_and(Publisher::is_usable);
        self.broken || !usable
    }

    /// What the relay tells of itself.
    pub(crate) fn report(&self) -> Report {
        let link = self.link.as_ref().filter(|_| !self.broken);
        Report {
            published: self.published,
            broker: link.map_or(BrokerState::Away, Link::broker),
        }
    }

    /// The broker asked to pause.
    pub(crate) fn is_blocked(&self) -> bool {
        self.publisher.as_ref().is_some_and(Publisher::is_blocked)
    }

    /// The broker does not take what it is given.
    pub(crate) fn is_in_trouble(&self) -> bool {
        self.broken || !self.again.is_empty() || self.is_blocked() || self.publisher.is_none()
    }

    /// How many rows wait that only the window holds back.
    pub(crate) fn waiting(&self) -> usize {
        self.planner.waiting(|kind| !self.rests.contains_key(kind))
    }

    /// When a type has rested long enough.
    pub(crate) fn wakes_at(&self) -> Option<Instant> {
        let resting = self.rests.iter();
        let resting = resting.filter(|(kind, _)| !is_flying(&self.flying_of, kind));
        resting.map(|(_, rest)| rest.until).min()
    }

    /// Publishes what may go: as many messages as the window has room for. Never waits.
    pub(crate) fn send(&mut self) {
        self.fill();
        self.show();
    }

    /// Shows how it stands.
    pub(crate) fn show(&mut self) {
        let publisher = self.publisher.as_ref().filter(|_| !self.broken);
        self.metrics
            .stands(publisher, &self.window, self.flying.len());
    }

    fn fill(&mut self) {
        let is_usable = self.publisher.as_ref().is_some_and(Publisher::is_usable);
        if self.broken || !is_usable || self.is_blocked() {
            return;
        }
        let now = Instant::now();
        while self.flying.len() < self.window.size() {
            let (Some(mut flight), Some(publisher)) = (self.next_flight(now), &self.publisher)
            else {
                return;
            };
            flight.attempts += 1;
            flight.leases = self.leases_of(&flight.planned.rows);
            flight.sent = Instant::now();
            flight.connection = self.connections;
            flight.span = self.span_of(&flight);
            let sending = publisher.send(flight.planned.message());
            self.flying_of
                .entry(flight.planned.kind.clone())
                .and_modify(|flying| *flying += 1)
                .or_insert(1);
            self.flying
                .push(Box::pin(async move { (flight, sending.await) }));
        }
        self.window.filled();
    }

    /// The next answer of the broker; none while nothing is under way.
    pub(crate) async fn landed(&mut self) -> Option<Landed> {
        self.flying.next().await
    }

    /// Nothing is under way.
    pub(crate) fn has_landed(&self) -> bool {
        self.flying.is_empty()
    }

    /// Draws the consequences of an answer.
    pub(crate) fn answered(&mut self, (mut flight, answer): Landed) {
        flight.answers.push(&answer);
        log::end(flight.span.take(), &answer);
        let kind = flight.planned.kind.clone();
        if let Some(flying) = self.flying_of.get_mut(&kind) {
            *flying = flying.saturating_sub(1);
        }
        let (rows, took) = (&flight.planned.rows, flight.sent.elapsed());
        self.metrics.answered(&kind, rows, &answer, took);
        self.log_answer(&answer, &kind);
        self.lacks_topology |= answer.lacks_topology();
        match answer {
            Answer::Confirmed => {
                self.rests.remove(&kind);
                self.window.confirmed(took);
                self.confirmed(flight);
            }
            Answer::Returned | Answer::Nacked => {
                self.window.refused();
                self.rest(&kind);
                self.again.entry(kind).or_default().push_back(flight);
            }
            Answer::TimedOut | Answer::Failed(_) => {
                if flight.connection == self.connections && !self.broken {
                    self.broken = true;
                    self.window.refused();
                }
                self.again.entry(kind).or_default().push_back(flight);
            }
        }
    }

    fn confirmed(&mut self, flight: Flight) {
        let rows = &flight.planned.rows;
        self.planner.settled(rows);
        self.settle(rows);
        self.published += u64::try_from(flight.planned.rows.len()).expect("a count fits");
        self.note_confirmed(flight);
        fault_point::pass(FaultPoint::AfterConfirm);
    }

    fn settle(&mut self, rows: &[Pending]) {
        for it in rows {
            match self.settled.last_mut() {
                Some((read, count)) if *read == it.read => *count += 1,
                _ => self.settled.push((it.read, 1)),
            }
        }
    }

    fn rest(&mut self, kind: &str) {
        let pause = self
            .rests
            .get(kind)
            .map_or(REST.0, |rest| (rest.pause * 2).min(REST.1));
        let until = Instant::now() + pause;
        self.rests.insert(kind.to_owned(), Rest { until, pause });
    }

    /// What goes next: messages that went before, then new ones.
    fn next_flight(&mut self, now: Instant) -> Option<Flight> {
        loop {
            let mut flight = self.next_of_all(now)?;
            // What belongs to lanes that were lost is their next owner's, though it be this relay again.
            let (mine, lost): (Vec<Pending>, Vec<Pending>) =
                std::mem::take(&mut flight.planned.rows)
                    .into_iter()
                    .partition(|it| self.owned.include(it));
            if !lost.is_empty() {
                self.planner.settled(&lost);
                self.settle(&lost);
            }
            if !mine.is_empty() {
                flight.planned.rows = mine;
                return Some(flight);
            }
        }
    }

    fn next_of_all(&mut self, now: Instant) -> Option<Flight> {
        let waits = self
            .again
            .iter()
            .find(|(kind, _)| may_go(&self.rests, &self.flying_of, kind, now));
        if let Some(kind) = waits.map(|(kind, _)| kind.clone()) {
            let flights = self.again.get_mut(&kind)?;
            let flight = flights.pop_front();
            if flights.is_empty() {
                self.again.remove(&kind);
            }
            return flight;
        }
        loop {
            let (rests, flying_of) = (&self.rests, &self.flying_of);
            let may_go = |kind: &str| may_go(rests, flying_of, kind, now);
            match self.planner.next(may_go)? {
                Next::Publish(planned) => {
                    return Some(Flight {
                        planned,
                        attempts: 0,
                        answers: Answers::default(),
                        leases: Vec::new(),
                        first_sent_at: OffsetDateTime::now_utc(),
                        sent: now,
                        connection: 0,
                        span: None,
                    });
                }
                Next::Park(rows) => self.to_park.extend(rows),
            }
        }
    }
}

/// A type that was refused goes on with one message, whose answer tells the rest.
fn may_go(
    rests: &HashMap<String, Rest>,
    flying_of: &HashMap<String, usize>,
    kind: &str,
    now: Instant,
) -> bool {
    let rest = rests.get(kind);
    rest.is_none_or(|rest| rest.until <= now && !is_flying(flying_of, kind))
}

fn is_flying(flying_of: &HashMap<String, usize>, kind: &str) -> bool {
    flying_of.get(kind).is_some_and(|flying| *flying > 0)
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line")
            .field("relay", &self.relay)
            .field("flying", &self.flying.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
