//! What a decision means for the conditions of the resource's status.

use super::{Decision, Observed, Reason, Source};
use crate::resource::{ConditionStatus, Verdict};

/// All conditions, each every time: what does not hold is said, too.
#[must_use]
pub fn verdicts(observed: &Observed, decision: &Decision) -> [Verdict; 4] {
    [
        ready(observed, decision),
        broker_unavailable(observed, decision),
        source_unavailable(observed),
        draining(observed, decision),
    ]
}

fn ready(observed: &Observed, decision: &Decision) -> Verdict {
    const KIND: &str = "Ready";
    let Source::Read(outbox) = &observed.source else {
        return Verdict {
            kind: KIND,
            status: ConditionStatus::Unknown,
            reason: "SourceUnavailable",
            message: decision.reason.to_string(),
        };
    };
    let (live, replicas) = (outbox.live_relays, decision.replicas);
    let message = format!("{live} of {replicas} relays live: {}", decision.reason);
    let (status, reason) = match decision.reason {
        Reason::SwitchedOff => (ConditionStatus::False, "SwitchedOff"),
        Reason::BrokerBlocked | Reason::BrokerUnreachable => {
            (ConditionStatus::False, "BrokerUnavailable")
        }
        _ if live < replicas => (ConditionStatus::False, "RelaysMissing"),
        // All are there and more would not help; what is slow instead nobody can tell from here.
        Reason::NoGain => (ConditionStatus::True, "NoGain"),
        _ => (ConditionStatus::True, "AsDecided"),
    };
    Verdict {
        kind: KIND,
        status,
        reason,
        message,
    }
}

fn broker_unavailable(observed: &Observed, decision: &Decision) -> Verdict {
    const KIND: &str = "BrokerUnavailable";
    let (status, reason) = match (&observed.source, decision.reason) {
        (Source::Away { .. }, _) => (ConditionStatus::Unknown, "SourceUnavailable"),
        (_, Reason::BrokerBlocked) => (ConditionStatus::True, "Blocked"),
        (_, Reason::BrokerUnreachable) => (ConditionStatus::True, "Unreachable"),
        _ => (ConditionStatus::False, "Accepting"),
    };
    let message = match status {
        ConditionStatus::False => "the broker takes what the relays publish".into(),
        _ => decision.reason.to_string(),
    };
    Verdict {
        kind: KIND,
        status,
        reason,
        message,
    }
}

fn source_unavailable(observed: &Observed) -> Verdict {
    let (status, reason, message) = match &observed.source {
        Source::Read(_) => (ConditionStatus::False, "Answers", "the service answers"),
        Source::Away { why } => (ConditionStatus::True, "Away", why.as_str()),
    };
    Verdict {
        kind: "SourceUnavailable",
        status,
        reason,
        message: message.into(),
    }
}

fn draining(observed: &Observed, decision: &Decision) -> Verdict {
    const KIND: &str = "Draining";
    match &observed.source {
        Source::Read(outbox) if outbox.live_relays > decision.replicas => Verdict {
            kind: KIND,
            status: ConditionStatus::True,
            reason: "HandingOver",
            message: format!(
                "{} relays live and {} are to be: the others hand their lanes over",
                outbox.live_relays, decision.replicas
            ),
        },
        Source::Read(_) => Verdict {
            kind: KIND,
            status: ConditionStatus::False,
            reason: "NobodyLeaves",
            message: "no relay is handing its lanes over".into(),
        },
        Source::Away { .. } => Verdict {
            kind: KIND,
            status: ConditionStatus::Unknown,
            reason: "SourceUnavailable",
            message: decision.reason.to_string(),
        },
    }
}
