//! What the line writes down: a row for each message that was confirmed, and for each event that was parked.

use messaging::{
    lease::Lease,
    outbox::Parking,
    publish_log::Logged,
    publisher::Answer,
    span::{self, Recorded},
};
use time::{Duration, OffsetDateTime};

use super::{Flight, Line};
use crate::planner::Pending;

/// The earliest first attempt that is told of a message; the log has a place for each of the last two days.
const LONGEST_WAY: Duration = Duration::days(1);

/// Ends the span of an attempt by its answer.
pub(super) fn end(span: Option<Recorded>, answer: &Answer) {
    match (span, answer) {
        (None, _) => {}
        (Some(span), Answer::Confirmed) => span.done(),
        (Some(span), refusal) => span.fail(refusal.as_str()),
    }
}

impl Line {
    /// Logs an answer that asks for somebody's attention.
    pub(super) fn log_answer(&self, answer: &Answer, kind: &str) {
        match answer {
            Answer::Confirmed => {}
            Answer::Returned => tracing::error!(
                relay = self.relay,
                kind,
                "the broker has no queue for a type of event; it waits, the others go on"
            ),
            Answer::Nacked => tracing::warn!(
                relay = self.relay,
                kind,
                "a queue takes no more messages; its type waits, the others go on"
            ),
            Answer::TimedOut => tracing::warn!(
                relay = self.relay,
                kind,
                "the broker did not answer a publish; it goes again over a new connection"
            ),
            Answer::Failed(error) => tracing::warn!(
                relay = self.relay,
                kind,
                error = error as &dyn std::error::Error,
                "a publish failed; its outcome is unknown and it goes again"
            ),
        }
    }

    /// The span of an attempt, linked to the creations of those events whose traces are recorded.
    pub(super) fn span_of(&self, flight: &Flight) -> Option<Recorded> {
        let rows = &flight.planned.rows;
        let creations = rows.iter().filter_map(|it| it.row.creation.as_deref());
        let mut span = span::publish(&flight.planned.kind, rows.len(), creations)?;
        span.says("gozon.relay", self.relay.clone());
        span.says("gozon.attempt", i64::from(flight.attempts));
        Some(span)
    }

    /// The leases on the lanes of these rows, in the order of the lanes.
    pub(super) fn leases_of(&self, rows: &[Pending]) -> Vec<Lease> {
        let mut lanes: Vec<i16> = rows.iter().map(|it| it.row.lane.number()).collect();
        lanes.sort_unstable();
        lanes.dedup();
        let leases = lanes.into_iter().map(|lane| Lease {
            lane,
            epoch: self.epoch_of(lane),
        });
        leases.collect()
    }

    pub(super) fn note_confirmed(&mut self, flight: Flight) {
        let confirmed_at = OffsetDateTime::now_utc();
        let mut entry = self.entry(&flight.planned.rows, &flight.leases);
        // A refusal may have lasted longer than the log is kept.
        entry.published_at = flight.first_sent_at.max(confirmed_at - LONGEST_WAY);
        entry.confirmed_at = Some(confirmed_at);
        entry.attempts = flight.attempts;
        entry.outcome = flight.answers.to_string();
        entry.kind = flight.planned.kind;
        self.log.push(entry);
    }

    /// A row was parked.
    pub(crate) fn note_parked(&mut self, pending: &Pending, reason: Parking) {
        let rows = std::slice::from_ref(pending);
        let mut entry = self.entry(rows, &self.leases_of(rows));
        entry.outcome = format!("parked, {}", reason.as_str());
        entry.kind.clone_from(&pending.row.kind);
        self.log.push(entry);
    }

    fn entry(&self, rows: &[Pending], leases: &[Lease]) -> Logged {
        let ids = rows.iter().map(|it| it.row.id);
        Logged {
            picked_up_at: rows.iter().map(|it| it.read_at).max(),
            published_at: OffsetDateTime::now_utc(),
            confirmed_at: None,
            relay: self.relay.clone(),
            kind: String::new(),
            lanes: leases.iter().map(|lease| lease.lane).collect(),
            epochs: leases.iter().map(|lease| lease.epoch).collect(),
            ids: (
                ids.clone().min().unwrap_or_default(),
                ids.max().unwrap_or_default(),
            ),
            event_ids: rows.iter().map(|it| it.row.event_id).collect(),
            attempts: 1,
            outcome: String::new(),
        }
    }
}
