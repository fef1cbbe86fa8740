//! Connections for requests: any customer's request goes over any of them, for the session is a header.

use std::{
    net::{SocketAddr, ToSocketAddrs},
    sync::Mutex,
};

use anyhow::Context;
use tokio::sync::Semaphore;
use url::Url;

use crate::connection::{Answer, Connection};

/// The most requests at once; more wait for a connection.
const CONNECTIONS_MAX: usize = 1_500;

/// Connections that are open and idle. The one used last is used next, so there are no more than are needed.
#[derive(Debug)]
pub(crate) struct Pool {
    address: SocketAddr,
    host: String,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl Pool {
    pub(crate) fn new(url: &str) -> anyhow::Result<Self> {
        let url: Url = url.parse().with_context(|| format!("{url} is no URL"))?;
        anyhow::ensure!(url.scheme() == "http", "{url} does not begin with http://");
        let host = url.host_str().context("the URL has no host")?;
        let port = url.port_or_known_default().context("the URL has no port")?;
        let address = (host, port)
            .to_socket_addrs()
            .with_context(|| format!("{host} is unknown"))?
            .next()
            .with_context(|| format!("{host} has no address"))?;
        Ok(Self {
            address,
            host: format!("{host}:{port}"),
            idle: Mutex::default(),
            permits: Semaphore::new(CONNECTIONS_MAX),
        })
    }

    /// Where the shop listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What goes into the header `Host`.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Sends what `write` writes and gives what `read` makes of the answer. A connection that failed is not used again.
    pub(crate) async fn call<T>(
        &self,
        write: impl FnOnce(&mut Vec<u8>),
        read: impl FnOnce(&Answer<'_>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let _permit = self
            .permits
            .acquire()
            .await
            .context("the pool is never closed")?;
        let idle = self.idle().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => Connection::open(self.address).await?,
        };
        connection.request.clear();
        write(&mut connection.request);
        let result = read(&connection.exchange().await?);
        self.idle().push(connection);
        result
    }

    /// Closes what is idle: a pause may be longer than the shop keeps such connections.
    pub(crate) fn close_idle(&self) {
        self.idle().clear();
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle
            .lock()
            .expect("nothing panics while it holds the connections")
    }
}
