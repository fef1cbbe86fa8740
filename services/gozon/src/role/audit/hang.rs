//! Where an undecided order hangs: a guess from the traces that its request and the answer to it left.

use std::fmt;

use messaging::audit::{Arrival, Sent};

/// Traces of one message between the services.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trace {
    /// What the sender's outbox holds.
    pub(crate) sent: Option<Sent>,
    /// What the receiver did with it.
    pub(crate) arrival: Option<Arrival>,
}

/// Which message an order waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Leg {
    /// The request for payment: the payment service has not decided.
    Request,
    /// The answer: the payment service has decided.
    Answer,
}

/// How far that message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// The outbox does not hold it.
    Missing,
    /// It can never be sent.
    Parked,
    /// No relay has said that the broker confirmed it.
    Unpublished,
    /// The broker confirmed it, the receiver does not know it.
    OnTheWay,
    /// The receiver will try it again.
    Deferred,
    /// It is a dead letter.
    Dead,
    /// The receiver has settled it, and the order did not move.
    Settled,
}

/// Where an order hangs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hang {
    pub(crate) leg: Leg,
    pub(crate) step: Step,
}

impl Hang {
    /// The place that fits the traces of the message the order waits for.
    pub(crate) fn guess(leg: Leg, trace: &Trace) -> Self {
        let step = match (&trace.sent, &trace.arrival) {
            (None, _) => Step::Missing,
            (Some(_), Some(Arrival::Dead(_))) => Step::Dead,
            (Some(_), Some(Arrival::Deferred(_))) => Step::Deferred,
            (Some(_), Some(Arrival::Settled)) => Step::Settled,
            (Some(sent), None) if sent.parked.is_some() => Step::Parked,
            (Some(sent), None) if sent.published => Step::OnTheWay,
            (Some(_), None) => Step::Unpublished,
        };
        Self { leg, step }
    }

    /// The place's stable name.
    pub(crate) const fn name(self) -> &'static str {
        match (self.leg, self.step) {
            (Leg::Request, Step::Missing) => "request_missing",
            (Leg::Request, Step::Parked) => "request_parked",
            (Leg::Request, Step::Unpublished) => "request_unpublished",
            (Leg::Request, Step::OnTheWay) => "request_on_the_way",
            (Leg::Request, Step::Deferred) => "request_deferred",
            (Leg::Request, Step::Dead) => "request_dead",
            (Leg::Request, Step::Settled) => "request_settled",
            (Leg::Answer, Step::Missing) => "answer_missing",
            (Leg::Answer, Step::Parked) => "answer_parked",
            (Leg::Answer, Step::Unpublished) => "answer_unpublished",
            (Leg::Answer, Step::OnTheWay) => "answer_on_the_way",
            (Leg::Answer, Step::Deferred) => "answer_deferred",
            (Leg::Answer, Step::Dead) => "answer_dead",
            (Leg::Answer, Step::Settled) => "answer_settled",
        }
    }
}

impl fmt::Display for Hang {
    /// What a person who has to do something about it should know.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (message, outbox, consumer) = match self.leg {
            Leg::Request => ("request", "orders", "payment service"),
            Leg::Answer => ("answer", "payments", "order service"),
        };
        match self.step {
            Step::Missing => write!(f, "its {message} is not in the {outbox} outbox"),
            Step::Parked => write!(
                f,
                "its {message} is parked in the {outbox} database: it can never be sent"
            ),
            Step::Unpublished => write!(
                f,
                "its {message} waits in the {outbox} outbox: look at that database's relays and at the broker"
            ),
            Step::OnTheWay => write!(
                f,
                "its {message} was published and the {consumer} has not seen it: look at the {consumer} and its queue"
            ),
            Step::Deferred => write!(f, "the {consumer} will try its {message} again"),
            Step::Dead => write!(f, "its {message} is a dead letter of the {consumer}"),
            Step::Settled => write!(
                f,
                "the {consumer} has settled its {message}, and nothing came of it"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn trace(published: bool, arrival: Option<Arrival>) -> Trace {
        let (key, event_id) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let sent = Some(Sent {
            key,
            event_id,
            published,
            parked: None,
        });
        Trace { sent, arrival }
    }

    #[test]
    fn what_is_parked_hangs_there_whatever_the_cursor_says() {
        for published in [true, false] {
            let mut trace = trace(published, None);
            if let Some(sent) = &mut trace.sent {
                sent.parked = Some("too_large".to_owned());
            }
            assert_eq!(Hang::guess(Leg::Answer, &trace).name(), "answer_parked");
        }
    }

    #[test]
    fn each_trace_leads_to_its_place() {
        let class = || "invalid".to_owned();
        for (trace, step) in [
            (Trace::default(), Step::Missing),
            (trace(false, None), Step::Unpublished),
            (trace(true, None), Step::OnTheWay),
            // The cursor is written back late: what has arrived was published, whatever it says.
            (trace(false, Some(Arrival::Settled)), Step::Settled),
            (
                trace(true, Some(Arrival::Deferred(class()))),
                Step::Deferred,
            ),
            (trace(true, Some(Arrival::Dead(class()))), Step::Dead),
        ] {
            assert_eq!(Hang::guess(Leg::Request, &trace).step, step, "{trace:?}");
        }
    }
}
