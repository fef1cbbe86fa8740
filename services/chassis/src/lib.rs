//! What every process of the shop needs: telemetry, admin server, lifecycle, problem details, pool and identity.

pub mod admin;
pub mod error_chain;
pub mod extract;
pub mod http;
pub mod identity;
pub mod lifecycle;
pub mod metrics;
pub mod openapi;
pub mod origin;
pub mod pool;
pub mod problem;
pub mod readiness;
pub mod recent;
pub mod serve;
pub mod telemetry;
pub mod trace;

pub use error_chain::chain;
pub use identity::{Principal, Profile, Role, SessionKeys};
pub use lifecycle::{Lifecycle, Stage};
pub use problem::Problem;
pub use readiness::Readiness;

/// Any error, as tasks and checks return it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
