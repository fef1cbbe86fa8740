//! Who asks: a principal, read from the signed session that a cookie or a bearer token carries.

mod credentials;
mod principal;
mod profile;
mod session;
mod session_keys;

pub use credentials::SESSION_COOKIE;
pub use principal::{Principal, Role};
pub use profile::Profile;
pub use session::Session;
pub use session_keys::{SessionError, SessionKeys, SessionKeysError};
