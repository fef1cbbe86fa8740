//! The statuses of an order and the table of what each payment outcome makes of them.

use contracts::DeclineReason;
use serde::Serialize;
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
    /// Not paid.
    Cancelled,
}

impl Status {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::Finished => "FINISHED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

/// What the payment service decided about an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The order was paid.
    Captured,
    /// It will not be paid.
    Declined(DeclineReason),
}

/// What an outcome does to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The order takes this status.
    To(Status),
    /// The order already stands where the outcome leads.
    Already,
    /// The order was decided otherwise.
    Conflict,
}

/// The transition table: every pair of a status and an outcome, so that a new one of either does not compile until it
/// is decided here.
#[must_use]
pub const fn step(status: Status, outcome: Outcome) -> Step {
    match (status, outcome) {
        (Status::New, Outcome::Captured) => Step::To(Status::Finished),
        (Status::New, Outcome::Declined(_)) => Step::To(Status::Cancelled),
        (Status::Finished, Outcome::Captured) | (Status::Cancelled, Outcome::Declined(_)) => {
            Step::Already
        }
        (Status::Finished, Outcome::Declined(_)) | (Status::Cancelled, Outcome::Captured) => {
            Step::Conflict
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_decided_once() {
        let declined = Outcome::Declined(DeclineReason::InsufficientFunds);
        for (status, outcome, expected) in [
            (Status::New, Outcome::Captured, Step::To(Status::Finished)),
            (Status::New, declined, Step::To(Status::Cancelled)),
            (Status::Finished, Outcome::Captured, Step::Already),
            (Status::Finished, declined, Step::Conflict),
            (Status::Cancelled, Outcome::Captured, Step::Conflict),
            (Status::Cancelled, declined, Step::Already),
        ] {
            assert_eq!(step(status, outcome), expected, "{status:?} {outcome:?}");
        }
    }

    #[test]
    fn a_status_is_sent_and_stored_under_one_name() {
        for status in [Status::New, Status::Finished, Status::Cancelled] {
            assert_eq!(
                serde_json::to_value(status).unwrap(),
                serde_json::json!(status.as_str())
            );
        }
    }
}
