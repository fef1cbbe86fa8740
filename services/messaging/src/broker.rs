//! Connections to the broker: how they are made, and nothing that is published or consumed over them.

use std::{fmt, time::Duration};

use lapin::{Connection, ConnectionProperties};
use url::Url;

/// The heartbeat asked for, in seconds: a peer that is silent for two of them is dead.
const HEARTBEAT_SECONDS: &str = "4";

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long one operation on a connection may take.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the broker may take to agree to a close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Where the broker is and as whom to log in; the password shows up nowhere.
#[derive(Clone)]
pub struct BrokerUrl(Url);

/// A text that is no AMQP address.
#[derive(Debug, thiserror::Error)]
#[error("the broker's address must have the form amqp://user:password@host:port/vhost")]
pub struct InvalidBrokerUrl(#[source] Option<url::ParseError>);

/// What can go wrong with the broker.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// No connection within the time limit.
    #[error("the broker at {address} did not answer within {} s", CONNECT_TIMEOUT.as_secs())]
    ConnectTimeout {
        /// Host and port.
        address: String,
    },
    /// The connection was refused or an operation failed.
    #[error("the broker refused: {doing}")]
    Amqp {
        /// What was tried.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: lapin::Error,
    },
    /// An operation was not answered within the time limit.
    #[error("the broker did not answer within {} s: {doing}", OPERATION_TIMEOUT.as_secs())]
    Silent {
        /// What was tried.
        doing: &'static str,
    },
    /// The connection ended.
    #[error("the connection to the broker ended")]
    Ended,
}

impl BrokerUrl {
    /// Reads an address and asks for our heartbeat.
    pub fn parse(text: &str) -> Result<Self, InvalidBrokerUrl> {
        let mut url = Url::parse(text).map_err(|error| InvalidBrokerUrl(Some(error)))?;
        if !matches!(url.scheme(), "amqp" | "amqps") || url.host().is_none() {
            return Err(InvalidBrokerUrl(None));
        }
        if url.path() == "/" {
            // Nobody means the vhost without a name: RabbitMQ's operator writes its addresses so for the default one.
            url.set_path("");
        }
        url.query_pairs_mut()
            .append_pair("heartbeat", HEARTBEAT_SECONDS);
        Ok(Self(url))
    }

    /// Host and port, for people.
    #[must_use]
    pub fn address(&self) -> String {
        format!(
            "{}:{}",
            self.0.host_str().unwrap_or_default(),
            self.0.port().unwrap_or(5672)
        )
    }

    /// A connection that the broker lists under this name.
    pub async fn connect(&self, name: &str) -> Result<Connection, BrokerError> {
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        tokio::time::timeout(
            CONNECT_TIMEOUT,
            Connection::connect(self.0.as_str(), properties),
        )
        .await
        .map_err(|_| BrokerError::ConnectTimeout {
            address: self.address(),
        })?
        .map_err(|source| BrokerError::Amqp {
            doing: "connect",
            source,
        })
    }
}

impl fmt::Debug for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BrokerUrl({})", self.address())
    }
}

/// Closes a connection that may be dead already; what was confirmed or acknowledged stays so. Says whether the broker
/// agreed in time.
pub(crate) async fn close(connection: Connection) -> bool {
    let closed = tokio::time::timeout(CLOSE_TIMEOUT, connection.close(200, "done".into())).await;
    let agreed = matches!(closed, Ok(Ok(())));
    if !agreed {
        tracing::debug!("a connection to the broker was gone before it was closed");
    }
    agreed
}

/// Waits for the broker to do something, but not for ever: a queue without a leader answers nothing.
pub(crate) async fn in_time<T>(
    doing: &'static str,
    work: impl Future<Output = lapin::Result<T>>,
) -> Result<T, BrokerError> {
    tokio::time::timeout(OPERATION_TIMEOUT, work)
        .await
        .map_err(|_| BrokerError::Silent { doing })?
        .map_err(refused(doing))
}

/// Names what was tried when the broker refuses it.
pub(crate) fn refused(doing: &'static str) -> impl FnOnce(lapin::Error) -> BrokerError {
    move |source| BrokerError::Amqp { doing, source }
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncReadExt, net::TcpListener};

    use super::*;

    #[test]
    fn the_password_is_not_shown() {
        let url = BrokerUrl::parse("amqp://relay:hunter2@127.0.0.1:5673/gozon").unwrap();
        assert_eq!(format!("{url:?}"), "BrokerUrl(127.0.0.1:5673)");
    }

    #[test]
    fn an_address_without_a_vhost_means_the_default_one() {
        let vhost = |text| {
            let url = BrokerUrl::parse(text).unwrap();
            url.0.as_str().parse::<lapin::uri::AMQPUri>().unwrap().vhost
        };
        assert_eq!(vhost("amqp://u:p@broker:5672/gozon"), "gozon");
        assert_eq!(vhost("amqp://u:p@broker:5672/"), "/");
        assert_eq!(vhost("amqp://u:p@broker:5672"), "/");
    }

    /// Without roots to trust the library would go on in plain text, password and all, and say nothing.
    #[tokio::test]
    async fn whoever_is_asked_by_amqps_is_spoken_to_in_tls() {
        const HANDSHAKE: u8 = 22;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = BrokerUrl::parse(&format!("amqps://u:p@localhost:{port}/gozon")).unwrap();
        let first_byte = async { listener.accept().await.unwrap().0.read_u8().await.unwrap() };
        let connection = tokio::spawn(async move { url.connect("test").await });
        assert_eq!(first_byte.await, HANDSHAKE);
        connection.abort();
    }

    #[test]
    fn an_address_that_is_not_amqp_is_refused() {
        for text in ["", "127.0.0.1", "http://127.0.0.1/"] {
            assert!(BrokerUrl::parse(text).is_err(), "{text}");
        }
    }
}
