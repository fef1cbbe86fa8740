//! Extractors that parse a request at the border and refuse it with a [`crate::Problem`].

mod idempotency_key;
mod json;
mod money;
mod path;
mod query;

pub use idempotency_key::IdempotencyKeyHeader;
pub use json::Json;
pub use money::RequestMoney;
pub use path::Path;
pub use query::Query;
