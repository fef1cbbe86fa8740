//! Free ports for further processes of the shop.

use std::net::TcpListener;

use anyhow::Context;

/// Below the ports that the kernel gives to outgoing connections, of which a bench has ten thousand.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

const ATTEMPTS: usize = 1_000;

/// A port nobody listens on.
pub(crate) fn free() -> anyhow::Result<String> {
    (0..ATTEMPTS)
        .map(|_| fastrand::u16(RANGE))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .map(|port| port.to_string())
        .context("no port between 20,000 and 32,000 is free")
}
