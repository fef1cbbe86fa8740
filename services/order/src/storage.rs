//! All SQL of the order service: functions that take a connection or a transaction, next to the rows they fill.

pub mod audit;
pub(crate) mod cancel;
pub(crate) mod changes;
pub(crate) mod everyone;
pub(crate) mod history;
pub(crate) mod orders;
pub(crate) mod place;
pub(crate) mod position;
pub(crate) mod push_log;
pub(crate) mod reconcile;
mod row;
pub(crate) mod session;
pub(crate) mod settle;
pub(crate) mod trace;
pub(crate) mod undecided;
