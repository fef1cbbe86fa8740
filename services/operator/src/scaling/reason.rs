//! Why a number of relays was decided, in words.

use std::{fmt, time::Duration};

/// Why there are to be as many relays as were decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The number was outside the limits.
    Limits {
        /// The fewest allowed.
        min: u32,
        /// The most allowed.
        max: u32,
    },
    /// Somebody has scaled it to none, which the limits never do: as with an HPA, that switches scaling off.
    SwitchedOff,
    /// The outbox cannot be read.
    SourceAway,
    /// The oldest event waits too long.
    TooOld {
        /// How long it waits.
        age: Duration,
        /// How long it may.
        target: Duration,
    },
    /// The backlog is worth more relays.
    Backlog {
        /// How many events wait.
        backlog: u64,
        /// How many are worth a relay.
        per_replica: u64,
    },
    /// More are wanted, and the broker has blocked the relays.
    BrokerBlocked,
    /// The relays have no connection to the broker.
    BrokerUnreachable,
    /// More are wanted, and the last ones published no more.
    NoGain,
    /// More are wanted, and the last ones are not at work yet.
    Settling {
        /// How many live.
        live: u32,
        /// How many there are to be.
        replicas: u32,
    },
    /// More are wanted, and there may not be more.
    AtMax {
        /// The most allowed.
        max: u32,
    },
    /// Fewer may do, but not for long enough.
    Stabilising {
        /// The most that were wanted within the window.
        peak: u32,
        /// The window.
        window: Duration,
    },
    /// Fewer would do, and the last one to go is still handing over.
    HandingOver,
    /// Fewer were enough for the whole window.
    Quiet {
        /// The window.
        window: Duration,
    },
    /// As many as are needed.
    Enough,
}

impl fmt::Display for Reason {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Limits { min, max } => write!(to, "outside the limits of {min} to {max}"),
            Self::SwitchedOff => {
                to.write_str("scaled to 0 by hand, and left alone until it is 1 or more")
            }
            Self::SourceAway => to.write_str("the outbox cannot be read, so nothing is changed"),
            Self::TooOld { age, target } => write!(
                to,
                "the oldest event waits {}, the target is {}",
                Seconds(age),
                Seconds(target)
            ),
            Self::Backlog {
                backlog,
                per_replica,
            } => write!(to, "{backlog} events wait, {per_replica} are worth a relay"),
            Self::BrokerBlocked => {
                to.write_str("the broker has blocked the relays, and more would be blocked too")
            }
            Self::BrokerUnreachable => to
                .write_str("the relays have no connection to the broker, and more would have none"),
            Self::NoGain => {
                to.write_str("the relays added last published no more, so something else is slow")
            }
            Self::Settling { live, replicas } => {
                write!(
                    to,
                    "the relays have only just begun: {live} of {replicas} live"
                )
            }
            Self::AtMax { max } => write!(to, "more are wanted, and {max} is the most allowed"),
            Self::Stabilising { peak, window } => {
                write!(to, "{peak} were wanted within the last {}", Seconds(window))
            }
            Self::HandingOver => to.write_str("the last one to go is still handing its lanes over"),
            Self::Quiet { window } => write!(to, "fewer were enough for {}", Seconds(window)),
            Self::Enough => to.write_str("as many as are needed"),
        }
    }
}

/// A duration as people read it: `0.4s`, `31s`.
pub(crate) struct Seconds(pub(crate) Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        if seconds < 10.0 && self.0.subsec_nanos() > 0 {
            write!(to, "{seconds:.1}s")
        } else {
            write!(to, "{seconds:.0}s")
        }
    }
}
