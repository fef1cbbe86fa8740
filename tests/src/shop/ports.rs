//! Ports for processes under test.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
    net::TcpListener,
    sync::{LazyLock, Mutex},
};

/// The ports of one process, kept over its restarts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ports {
    /// What the shop serves.
    pub(super) public: u16,
    /// Health and metrics.
    pub(super) admin: u16,
}

impl Ports {
    /// Two ports nobody uses.
    pub(super) fn free() -> Self {
        Self {
            public: free_port(),
            admin: free_port(),
        }
    }
}

/// A port nobody listens on. It lies below those the kernel gives to outgoing connections, so that it stays free while
/// a process restarts.
pub(crate) fn free_port() -> u16 {
    static TAKEN: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);
    let mut taken = TAKEN
        .lock()
        .expect("nothing panics while it holds the ports");
    for attempt in 0..1_000_u16 {
        let random = RandomState::new().hash_one(attempt);
        let port = 20_000 + u16::try_from(random % 12_000).expect("it is below 12,000");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() && taken.insert(port) {
            return port;
        }
    }
    panic!("no free port between 20,000 and 32,000");
}
