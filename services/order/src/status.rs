//! The states of an order, and the tables of what the payment service's word and its owner make of them.

use contracts::DeclineReason;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

/// Where an order stands. Stored and sent under these names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "UPPERCASE")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub enum Status {
    /// Accepted, its payment undecided.
    New,
    /// Paid.
    Finished,
    /// Paid and given up by its owner, the money not yet back.
    Refunding,
    /// Not paid, or the money is back.
    Cancelled,
}

impl Status {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::Finished => "FINISHED",
            Self::Refunding => "REFUNDING",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// The status as the original shows it, which knows of no refunds: paid until the money is back.
    pub(crate) const fn as_in_original(self) -> Self {
        match self {
            Self::Refunding => Self::Finished,
            Self::New | Self::Finished | Self::Cancelled => self,
        }
    }
}

/// Why an order was cancelled. Stored and sent under its stable name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// It was not paid.
    NotPaid(DeclineReason),
    /// Its owner gave it up after it was paid, and the money is back.
    Refunded,
}

impl Reason {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotPaid(reason) => reason.as_str(),
            Self::Refunded => "refunded",
        }
    }

    /// Reads the stable name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == Self::Refunded.as_str() {
            Some(Self::Refunded)
        } else {
            DeclineReason::parse(text).map(Self::NotPaid)
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A status with what belongs to it: every state an order can be in, and no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Accepted, its payment undecided.
    New,
    /// Paid.
    Finished,
    /// Paid and given up, the money not yet back.
    Refunding,
    /// Cancelled, for this reason.
    Cancelled(Reason),
}

impl State {
    /// The state of a status and a reason; none if the two do not go together.
    #[must_use]
    pub const fn of(status: Status, reason: Option<Reason>) -> Option<Self> {
        match (status, reason) {
            (Status::New, None) => Some(Self::New),
            (Status::Finished, None) => Some(Self::Finished),
            (Status::Refunding, None) => Some(Self::Refunding),
            (Status::Cancelled, Some(reason)) => Some(Self::Cancelled(reason)),
            (Status::New | Status::Finished | Status::Refunding, Some(_))
            | (Status::Cancelled, None) => None,
        }
    }

    /// The status alone.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::New => Status::New,
            Self::Finished => Status::Finished,
            Self::Refunding => Status::Refunding,
            Self::Cancelled(_) => Status::Cancelled,
        }
    }

    /// Why it is cancelled.
    #[must_use]
    pub const fn reason(self) -> Option<Reason> {
        match self {
            Self::New | Self::Finished | Self::Refunding => None,
            Self::Cancelled(reason) => Some(reason),
        }
    }
}

/// What the payment service says of an order's money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The order was paid.
    Captured,
    /// It will not be paid.
    Declined(DeclineReason),
    /// What was paid was given back.
    Refunded,
}

/// What an outcome does to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The order takes this state.
    To(State),
    /// The order already stands where the outcome leads, or beyond.
    Already,
    /// What the outcome follows has not come yet.
    NotYet,
    /// The order was decided otherwise.
    Conflict,
}

/// The table of outcomes: every pair of a state and an outcome, so that a new one of either does not compile until it is
/// decided here.
///
/// A FINISHED order whose money was given back is one that a restored backup has made forget that its owner gave it up:
/// the payment service knows better, and who asks for its decision again is told of the refund, too.
#[must_use]
pub fn step(state: State, outcome: Outcome) -> Step {
    use Reason::{NotPaid, Refunded};
    match (state, outcome) {
        (State::New, Outcome::Captured) => Step::To(State::Finished),
        (State::New, Outcome::Declined(reason)) => Step::To(State::Cancelled(NotPaid(reason))),
        (State::New, Outcome::Refunded) => Step::NotYet,
        (State::Finished | State::Refunding, Outcome::Refunded) => {
            Step::To(State::Cancelled(Refunded))
        }
        // The payment service keeps its answer and gives it again; another reason is another answer.
        (State::Cancelled(NotPaid(known)), Outcome::Declined(told)) if known == told => {
            Step::Already
        }
        (State::Finished | State::Refunding | State::Cancelled(Refunded), Outcome::Captured)
        | (State::Cancelled(Refunded), Outcome::Refunded) => Step::Already,
        (State::Finished | State::Refunding | State::Cancelled(_), Outcome::Declined(_))
        | (State::Cancelled(NotPaid(_)), Outcome::Captured | Outcome::Refunded) => Step::Conflict,
    }
}

/// Why an order cannot be given up by its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotCancellable {
    /// It is NEW: nobody knows yet whether there is money to be given back.
    #[error("its payment is not decided yet")]
    Undecided,
    /// It was given up before, and the money is on its way.
    #[error("it is being cancelled already")]
    Refunding,
    /// It is over.
    #[error("it is cancelled already")]
    Cancelled,
}

/// The table of its owner's one wish, to give the order up: what a paid order becomes, and why any other does not.
pub const fn cancel(status: Status) -> Result<Status, NotCancellable> {
    match status {
        Status::New => Err(NotCancellable::Undecided),
        Status::Finished => Ok(Status::Refunding),
        Status::Refunding => Err(NotCancellable::Refunding),
        Status::Cancelled => Err(NotCancellable::Cancelled),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL_STATES: [State; 5] = [
        State::New,
        State::Finished,
        State::Refunding,
        State::Cancelled(Reason::NotPaid(DeclineReason::InsufficientFunds)),
        State::Cancelled(Reason::Refunded),
    ];

    #[test]
    fn an_order_is_decided_once_and_refunded_once() {
        let declined = Outcome::Declined(DeclineReason::InsufficientFunds);
        let otherwise = Outcome::Declined(DeclineReason::NoAccount);
        let not_paid = State::Cancelled(Reason::NotPaid(DeclineReason::InsufficientFunds));
        let refunded = State::Cancelled(Reason::Refunded);
        let (to, already) = (Step::To, Step::Already);
        let (not_yet, conflict) = (Step::NotYet, Step::Conflict);
        // In the columns what becomes of the states, in their order, by each outcome.
        for (outcome, expected) in [
            (
                Outcome::Captured,
                [to(State::Finished), already, already, conflict, already],
            ),
            (
                declined,
                [to(not_paid), conflict, conflict, already, conflict],
            ),
            (
                otherwise,
                [
                    to(State::Cancelled(Reason::NotPaid(DeclineReason::NoAccount))),
                    conflict,
                    conflict,
                    conflict,
                    conflict,
                ],
            ),
            (
                Outcome::Refunded,
                [not_yet, to(refunded), to(refunded), conflict, already],
            ),
        ] {
            let steps = ALL_STATES.map(|state| step(state, outcome));
            assert_eq!(steps, expected, "{outcome:?}");
        }
    }

    #[test]
    fn only_a_paid_order_can_be_given_up() {
        let outcomes = ALL_STATES.map(|state| cancel(state.status()));
        let expected = [
            Err(NotCancellable::Undecided),
            Ok(Status::Refunding),
            Err(NotCancellable::Refunding),
            Err(NotCancellable::Cancelled),
            Err(NotCancellable::Cancelled),
        ];
        assert_eq!(outcomes, expected);
    }

    #[test]
    fn a_state_is_its_status_and_its_reason_and_nothing_else_is_one() {
        for state in ALL_STATES {
            assert_eq!(State::of(state.status(), state.reason()), Some(state));
        }
        assert_eq!(State::of(Status::Cancelled, None), None);
        assert_eq!(State::of(Status::Finished, Some(Reason::Refunded)), None);
    }

    #[test]
    fn a_status_is_sent_and_stored_under_one_name_and_so_is_a_reason() {
        for state in ALL_STATES {
            let status = state.status();
            assert_eq!(
                serde_json::to_value(status).unwrap(),
                serde_json::json!(status.as_str())
            );
            if let Some(reason) = state.reason() {
                assert_eq!(Reason::parse(reason.as_str()), Some(reason));
                assert_eq!(
                    serde_json::to_value(reason).unwrap(),
                    serde_json::json!(reason.as_str())
                );
            }
        }
        assert_eq!(Reason::parse("whim"), None);
    }
}
