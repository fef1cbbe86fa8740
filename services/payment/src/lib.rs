//! The payment service: accounts, top-ups, the ledger, the decision on every placed order, and refunds.

mod ledger_check;
pub mod limits;
mod metrics;
pub mod schema;
pub mod trace;

mod api;
mod error;
mod original;
mod settings;
mod settlement;
mod storage;
#[cfg(test)]
mod testing;

pub use api::{openapi, router};
pub use ledger_check::LedgerCheck;
pub use metrics::Metrics;
pub use settings::PaymentSettings;
pub use settlement::{PaymentRequest, Purpose, Settlement, consumer};
pub use storage::audit;
