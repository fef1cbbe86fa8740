//! How many relays there should be: a pure decision over what was observed, [`plan`].
//!
//! - Up: at once, at most twice as many, when the oldest event waits longer than the target or the backlog is worth more
//!   relays; the next step only after the last one's relays have worked for a moment.
//! - Not up: while the broker takes nothing, or after a step that published no more than before; that is tried again with
//!   one relay, after a pause that doubles. More relays would wait for the same thing, and hold more connections to a broker
//!   in trouble.
//! - Not at all: while the outbox cannot be read. Whoever sees nothing changes nothing.
//! - Down: one at a time, once fewer have been enough for the whole stabilisation window. So between a step up and the next
//!   one down lies at least that window, whatever the observations do.
//! - Not down below what the present rate needs: how much one relay publishes is learned whenever events wait for all. Without it
//!   a constant load would be met, left, and met again for ever: a short queue says nothing about how many keep it short.

mod limits;
mod observed;
mod plan;
mod reason;
mod recent;
mod verdict;

pub use self::{
    limits::Limits,
    observed::{Broker, Observed, Outbox, Source},
    plan::{Decision, plan},
    reason::Reason,
    recent::Recent,
    verdict::verdicts,
};

pub(crate) use self::reason::Seconds;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
