//! All SQL of the payment service. Functions take a connection or a transaction; who calls them begins and commits.
//! The schema admits roubles alone, so amounts are read as such.

pub(crate) mod account;
pub mod audit;
pub(crate) mod ledger;
pub(crate) mod ledger_check;
pub(crate) mod payment;
pub(crate) mod session;
pub(crate) mod settle;
pub(crate) mod standing;
pub(crate) mod trace;

#[cfg(test)]
mod tests;
