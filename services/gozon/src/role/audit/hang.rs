//! Where an order that waits for its payment or its refund hangs: a guess from the traces that its request and the answer
//! to it left.

use std::fmt;

use contracts::{
    Message, OrderPlaced, PaymentCaptured, PaymentDeclined, PaymentRefunded, RefundRequested,
};
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
    /// The request for the money back: the payment service has not refunded.
    RefundRequest,
    /// The answer to it: the payment service has refunded.
    RefundAnswer,
}

impl Leg {
    pub(crate) const ALL: [Self; 4] = [
        Self::Request,
        Self::Answer,
        Self::RefundRequest,
        Self::RefundAnswer,
    ];

    /// The types of the message.
    pub(crate) const fn types(self) -> &'static [&'static str] {
        match self {
            Self::Request => &[OrderPlaced::TYPE],
            Self::Answer => &[PaymentCaptured::TYPE, PaymentDeclined::TYPE],
            Self::RefundRequest => &[RefundRequested::TYPE],
            Self::RefundAnswer => &[PaymentRefunded::TYPE],
        }
    }

    /// Whether the order service sends it, and not the payment service.
    pub(crate) const fn leaves_orders(self) -> bool {
        match self {
            Self::Request | Self::RefundRequest => true,
            Self::Answer | Self::RefundAnswer => false,
        }
    }
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
            (Leg::RefundRequest, Step::Missing) => "refund_request_missing",
            (Leg::RefundRequest, Step::Parked) => "refund_request_parked",
            (Leg::RefundRequest, Step::Unpublished) => "refund_request_unpublished",
            (Leg::RefundRequest, Step::OnTheWay) => "refund_request_on_the_way",
            (Leg::RefundRequest, Step::Deferred) => "refund_request_deferred",
            (Leg::RefundRequest, Step::Dead) => "refund_request_dead",
            (Leg::RefundRequest, Step::Settled) => "refund_request_settled",
            (Leg::RefundAnswer, Step::Missing) => "refund_answer_missing",
            (Leg::RefundAnswer, Step::Parked) => "refund_answer_parked",
            (Leg::RefundAnswer, Step::Unpublished) => "refund_answer_unpublished",
            (Leg::RefundAnswer, Step::OnTheWay) => "refund_answer_on_the_way",
            (Leg::RefundAnswer, Step::Deferred) => "refund_answer_deferred",
            (Leg::RefundAnswer, Step::Dead) => "refund_answer_dead",
            (Leg::RefundAnswer, Step::Settled) => "refund_answer_settled",
        }
    }
}

impl fmt::Display for Hang {
    /// What a person who has to do something about it should know.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (message, outbox, consumer) = match self.leg {
            Leg::Request => ("request", "orders", "payment service"),
            Leg::Answer => ("answer", "payments", "order service"),
            Leg::RefundRequest => ("request for a refund", "orders", "payment service"),
            Leg::RefundAnswer => ("answer about the refund", "payments", "order service"),
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
