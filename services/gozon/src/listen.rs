//! Opening a port, with an error that says which variable to change.

use std::{io::ErrorKind, net::SocketAddr};

use anyhow::{Context, anyhow};
use tokio::net::TcpListener;

/// The variable of the public port.
pub(crate) const PUBLIC_PORT: &str = "GOZON_PORT";

/// The variable of the admin port.
pub(crate) const ADMIN_PORT: &str = "GOZON_ADMIN_PORT";

/// Listens on an address whose port came from `variable`.
pub(crate) async fn bind(address: SocketAddr, variable: &str) -> anyhow::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Err(error) if error.kind() == ErrorKind::AddrInUse => Err(anyhow!(
            "port {} is in use by another program: set {variable} to a free port, or stop that program",
            address.port()
        )),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(anyhow!(
            "port {} is not allowed to this user: set {variable} to a port above 1023",
            address.port()
        )),
        outcome => outcome.with_context(|| format!("cannot listen on {address} ({variable})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_occupied_port_is_an_error_that_names_the_variable() {
        let occupied = bind(([127, 0, 0, 1], 0).into(), PUBLIC_PORT).await.unwrap();
        let address = occupied.local_addr().unwrap();
        let error = bind(address, PUBLIC_PORT).await.unwrap_err().to_string();
        assert!(error.contains("GOZON_PORT"), "{error}");
        assert!(error.contains(&address.port().to_string()), "{error}");
    }
}
