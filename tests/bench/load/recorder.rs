//! What happened, counted; and, within the measured interval, how long it took.

use std::{
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use ::tests::measure::Latencies;
use tokio::time::Instant;

use crate::board::End;

/// An order must end this long after it was due; later is as bad as never.
pub(crate) const END_WITHIN: Duration = Duration::from_secs(15);

/// The errors that are told in full.
const FIRST_ERRORS: usize = 5;

/// An order whose end was pushed.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) due: Instant,
    pub(crate) answered: Instant,
    pub(crate) end: End,
}

/// The counts of a run.
#[derive(Debug, Default)]
pub(crate) struct Recorder(Mutex<Record>);

/// What the counts are at one moment.
#[derive(Debug, Default, Clone)]
pub(crate) struct Record {
    /// Orders are not followed; their ends are only counted.
    watching: bool,
    /// The measured interval, once it is known.
    pub(crate) interval: Option<(Instant, Instant)>,
    /// Orders whose POST was begun.
    pub(crate) begun: u64,
    /// Orders whose end was pushed in time, ever.
    pub(crate) ended: u64,
    /// Orders whose end was pushed too late.
    pub(crate) late: u64,
    pub(crate) refused: u64,
    pub(crate) failed: u64,
    /// Sockets that ended.
    pub(crate) sockets_ended: u64,
    pub(crate) first_errors: Vec<String>,
    /// Within the interval.
    pub(crate) finished: u64,
    pub(crate) cancelled: u64,
    pub(crate) to_push: Latencies,
    pub(crate) to_answer: Latencies,
    pub(crate) each_second: Vec<u64>,
}

impl Recorder {
    /// Begins a phase: forgets everything but the sockets that have ended, whose customers hear nothing any more.
    pub(crate) fn begin(&self) {
        let mut record = self.record();
        *record = Record {
            sockets_ended: record.sockets_ended,
            ..Record::default()
        };
    }

    /// Measures from one instant to another.
    pub(crate) fn measure(&self, from: Instant, to: Instant) {
        self.record().interval = Some((from, to));
    }

    /// From now on ends are only counted.
    pub(crate) fn watch(&self) {
        self.record().watching = true;
    }

    /// Counts an end if that is all that is asked, and says so.
    pub(crate) fn watched(&self, end: End) -> bool {
        let mut record = self.record();
        if record.watching {
            record.begun += 1;
            record.ended += 1;
            record.count(end);
        }
        record.watching
    }

    /// How many ends were counted within the interval.
    pub(crate) fn measured(&self) -> u64 {
        self.record().measured()
    }

    pub(crate) fn began(&self) {
        self.record().begun += 1;
    }

    pub(crate) fn refused(&self) {
        self.record().refused += 1;
    }

    pub(crate) fn failed(&self, error: &str) {
        let mut record = self.record();
        record.failed += 1;
        record.tell(error);
    }

    pub(crate) fn socket_ended(&self, error: &str) {
        let mut record = self.record();
        record.sockets_ended += 1;
        record.tell(error);
    }

    pub(crate) fn ended(&self, order: &Ended) {
        self.record().ended(order);
    }

    /// Everything so far.
    pub(crate) fn so_far(&self) -> Record {
        self.record().clone()
    }

    /// How many orders have ended in time.
    pub(crate) fn count(&self) -> u64 {
        self.record().ended
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.0
            .lock()
            .expect("nothing panics while it holds the record")
    }
}

impl Record {
    /// Orders of which nothing was heard, or too late: neither an end, nor a refusal, nor an error.
    pub(crate) fn lost(&self) -> u64 {
        self.begun
            .saturating_sub(self.ended + self.refused + self.failed)
    }

    /// Orders that ended within the interval.
    pub(crate) const fn measured(&self) -> u64 {
        self.finished + self.cancelled
    }

    fn tell(&mut self, error: &str) {
        if self.first_errors.len() < FIRST_ERRORS {
            self.first_errors.push(error.to_owned());
        }
    }

    fn ended(&mut self, order: &Ended) {
        let at = order.end.at;
        let latency = at.saturating_duration_since(order.due);
        if latency > END_WITHIN {
            self.late += 1;
            self.tell(&format!("an order ended only after {latency:?}"));
            return;
        }
        self.ended += 1;
        if self.count(order.end) {
            self.to_push.add(latency);
            self.to_answer
                .add(order.answered.saturating_duration_since(order.due));
        }
    }

    /// Counts an end if it lies within the interval, and says whether it does.
    fn count(&mut self, end: End) -> bool {
        let Some((from, to)) = self.interval else {
            return false;
        };
        if end.at < from || end.at >= to {
            return false;
        }
        if end.finished {
            self.finished += 1;
        } else {
            self.cancelled += 1;
        }
        let second = usize::try_from((end.at - from).as_secs()).unwrap_or(usize::MAX);
        if self.each_second.len() <= second {
            self.each_second.resize(second + 1, 0);
        }
        self.each_second[second] += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(due: Instant, took: Duration, finished: bool) -> Ended {
        Ended {
            due,
            answered: due,
            end: End {
                at: due + took,
                finished,
            },
        }
    }

    #[test]
    fn only_what_ends_within_the_interval_is_measured_and_what_ends_too_late_is_lost() {
        let recorder = Recorder::default();
        let start = Instant::now();
        let second = Duration::from_secs(1);
        for _ in 0..5 {
            recorder.began();
        }
        recorder.ended(&order(start, second, true));
        recorder.measure(start + second, start + 3 * second);
        recorder.ended(&order(start, second, true));
        recorder.ended(&order(start, 5 * second / 2, false));
        recorder.ended(&order(start, 3 * second, true));
        recorder.ended(&order(start, END_WITHIN + second, true));
        let record = recorder.so_far();
        assert_eq!((record.finished, record.cancelled), (1, 1));
        assert_eq!(record.each_second, [1, 1]);
        assert_eq!(record.to_push.count(), 2);
        assert_eq!((record.ended, record.late, record.lost()), (4, 1, 1));
    }

    #[test]
    fn a_new_phase_forgets_everything_but_ended_sockets() {
        let recorder = Recorder::default();
        recorder.began();
        recorder.failed("no answer");
        recorder.socket_ended("gone");
        recorder.begin();
        let record = recorder.so_far();
        assert_eq!(
            (record.begun, record.failed, record.sockets_ended),
            (0, 0, 1)
        );
    }

    #[test]
    fn ends_are_only_counted_while_watching() {
        let recorder = Recorder::default();
        let start = Instant::now();
        let end = End {
            at: start,
            finished: true,
        };
        assert!(!recorder.watched(end));
        recorder.watch();
        recorder.measure(start, start + Duration::from_secs(1));
        assert!(recorder.watched(end));
        assert_eq!(recorder.measured(), 1);
        assert_eq!(recorder.so_far().lost(), 0);
    }

    #[test]
    fn refusals_and_errors_are_not_lost_orders() {
        let recorder = Recorder::default();
        for _ in 0..3 {
            recorder.began();
        }
        recorder.refused();
        recorder.failed("no answer");
        let record = recorder.so_far();
        assert_eq!((record.refused, record.failed, record.lost()), (1, 1, 1));
        assert_eq!(record.first_errors, ["no answer"]);
    }
}
