//! The roles: what each sub-command does.

pub(crate) mod all;
pub(crate) mod migrate;
pub(crate) mod order;
pub(crate) mod payment;
pub(crate) mod relay;
pub(crate) mod smoke;
pub(crate) mod web;

/// How many relays a process runs per database: one publishes while the other waits for confirms, and a stuck one is
/// soon replaced.
const RELAYS: u8 = 2;
