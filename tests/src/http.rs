//! The HTTP client of all tests.

use std::{sync::Once, time::Duration};

use reqwest::Client;

/// An HTTP client for plain HTTP on loopback. A client's connections belong to the runtime it was made in, so each
/// test makes its own.
///
/// # Panics
/// Never: it has no settings that could be wrong.
#[must_use]
pub fn http_client() -> Client {
    static TLS: Once = Once::new();
    // reqwest wants a TLS provider even when nobody speaks TLS; whichever crate installs one first is fine.
    TLS.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    Client::builder()
        .timeout(Duration::from_secs(20))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .expect("a client without special settings can be built")
}
