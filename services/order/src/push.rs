//! Push: every replica tails the status history and hands each change to the sockets of its user.
//!
//! A socket registers with the hub first, then reads its opening (a snapshot of its orders) and sends it, then sends what
//! the tail delivered meanwhile and delivers from then on, leaving out what the opening saw already. So nothing lies
//! between the opening and the tail, and nothing in both. What sockets took is written down, some times a second.

pub(crate) mod cursor;
pub(crate) mod frame;
pub(crate) mod held;
mod hold;
pub(crate) mod hub;
pub(crate) mod log;
pub(crate) mod opening;
pub(crate) mod peer;
pub(crate) mod pulse;
pub(crate) mod server_sent;
pub(crate) mod socket;
pub(crate) mod span;
pub(crate) mod stream;
pub(crate) mod tail;

pub use log::PushLogWriter;
pub use tail::Tail;
