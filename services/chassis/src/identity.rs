//! Who asks: a principal, read from the signed session that a cookie or a bearer token carries.

mod credentials;
mod operator;
mod operator_key;
mod principal;
mod profile;
mod session;
mod session_keys;

pub use credentials::SESSION_COOKIE;
pub use operator::Operator;
pub use operator_key::{OperatorKey, OperatorKeyTooShort};
pub use principal::{Principal, Role};
pub use profile::Profile;
pub use session::Session;
pub use session_keys::{SessionError, SessionKeys, SessionKeysError};
