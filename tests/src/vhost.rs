//! A RabbitMQ vhost per test, with the users a real one has.

use anyhow::{Context, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use url::Url;

use crate::{Instance, Proxy, RawBroker, background, http_client, leftovers};

/// The broker's users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BrokerUser {
    /// Declares the topology.
    Owner,
    /// Publishes events, declares its fences, and the topology again after a return.
    Relay,
    /// Reads its queues, and nothing else.
    Service,
}

impl BrokerUser {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Relay, Self::Service];

    /// The user's name in the environment.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Relay => "relay",
            Self::Service => "service",
        }
    }

    /// What the user may do, as regular expressions over names: the same as in a real vhost.
    fn permissions(self) -> Value {
        match self {
            Self::Owner => json!({"configure": ".*", "write": ".*", "read": ".*"}),
            Self::Relay => json!({
                "configure": r"^(gozon\.(events|dead-letters|fence\..+)|(payment|order)\..+)$",
                "write": r"^(gozon\.(events|dead-letters)|(payment|order)\..+)$",
                "read": r"^(gozon\.(events|dead-letters)|(payment|order)\..+)$",
            }),
            Self::Service => {
                json!({"configure": "", "write": "", "read": r"^(payment|order)\..*"})
            }
        }
    }
}

/// An empty vhost of its own for one test; deleted with it.
#[derive(Debug)]
pub struct TestVhost {
    name: String,
    management: Management,
    urls: [Url; BrokerUser::ALL.len()],
}

impl TestVhost {
    /// Creates a vhost on the instance of this run.
    ///
    /// # Panics
    /// When the instance is not there, or runs without the management plugin.
    pub async fn create() -> Self {
        Self::create_on(&Instance::OfThisRun).await
    }

    /// Creates a vhost on a given instance.
    ///
    /// # Panics
    /// When the instance is not there, or runs without the management plugin.
    pub async fn create_on(instance: &Instance) -> Self {
        static SWEPT: OnceCell<()> = OnceCell::const_new();
        if let Instance::OfThisRun = instance {
            SWEPT
                .get_or_init(|| async {
                    if let Err(error) = Management::of(instance).delete_abandoned_vhosts().await {
                        eprintln!("cannot remove vhosts of earlier runs: {error:#}");
                    }
                })
                .await;
        }
        let name = leftovers::unique_name("vhost");
        let urls = BrokerUser::ALL.map(|user| {
            let mut url = instance.url(&format!("GOZON_AMQP_{}_URL", user.name().to_uppercase()));
            url.set_path(&name);
            url
        });
        let vhost = Self {
            name,
            management: Management::of(instance),
            urls,
        };
        vhost
            .create_with_permissions()
            .await
            .unwrap_or_else(|error| panic!("cannot create vhost {}: {error:#}", vhost.name));
        vhost
    }

    /// The vhost's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The AMQP URL of a user, password included.
    #[must_use]
    pub fn url(&self, user: BrokerUser) -> &str {
        self.url_of(user).as_str()
    }

    /// A wire to the broker that can be cut.
    ///
    /// # Panics
    /// When there is no port for it.
    pub async fn proxy(&self) -> Proxy {
        let url = self.url_of(BrokerUser::Relay);
        let addresses = url.socket_addrs(|| None);
        let address = addresses.expect("an instance is at an address and a port");
        Proxy::to_broker(address[0]).await
    }

    /// The AMQP URL of a user over such a wire.
    ///
    /// # Panics
    /// Never: a wire has an address.
    #[must_use]
    pub fn url_over(&self, proxy: &Proxy, user: BrokerUser) -> String {
        let mut url = self.url_of(user).clone();
        url.set_ip_host(proxy.address().ip())
            .and_then(|()| url.set_port(Some(proxy.address().port())))
            .expect("an AMQP URL has a host and a port");
        url.into()
    }

    /// A plain AMQP client with the owner's rights: publishes anything, looks into any queue.
    ///
    /// # Panics
    /// When the broker is not there.
    pub async fn raw(&self) -> RawBroker {
        RawBroker::connect(self.url(BrokerUser::Owner)).await
    }

    /// A call of the management API, for example to close every connection or to read a queue's arguments; the path
    /// is relative to `/api/`.
    pub async fn management(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        self.management.call(method, path, body).await
    }

    /// Takes everything out of it, topology, messages and connections, as when a broker comes back without its disk.
    ///
    /// # Panics
    /// When the broker does not do so.
    pub async fn wipe(&self) {
        let path = format!("vhosts/{}", self.name);
        self.management(Method::DELETE, &path, None)
            .await
            .expect("the vhost is deleted");
        self.create_with_permissions()
            .await
            .expect("the vhost is made again");
    }

    fn url_of(&self, user: BrokerUser) -> &Url {
        // The order of the variants is the order of `BrokerUser::ALL`, by which the array was made.
        &self.urls[user as usize]
    }

    async fn create_with_permissions(&self) -> anyhow::Result<()> {
        let name = &self.name;
        self.management(Method::PUT, &format!("vhosts/{name}"), None)
            .await?;
        for user in BrokerUser::ALL {
            let login = self.url_of(user).username();
            let path = format!("permissions/{name}/{login}");
            self.management(Method::PUT, &path, Some(&user.permissions()))
                .await?;
        }
        Ok(())
    }
}

impl Drop for TestVhost {
    fn drop(&mut self) {
        let management = self.management.clone();
        let path = format!("vhosts/{}", self.name);
        background::finish("cannot delete a test's vhost", async move {
            management.call(Method::DELETE, &path, None).await?;
            Ok(())
        });
    }
}

/// RabbitMQ's management API.
#[derive(Debug, Clone)]
pub(crate) struct Management(Url);

impl Management {
    /// The one of an instance.
    pub(crate) fn of(instance: &Instance) -> Self {
        Self(instance.url("GOZON_RABBITMQ_ADMIN_URL"))
    }

    /// Reads a path, relative to `/api/`.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.call(Method::GET, path, None).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let Self(address) = self;
        let mut url = address.join("/api/")?.join(path)?;
        // Credentials go into the header alone, so that no error message shows them.
        ensure!(
            url.set_username("").is_ok() && url.set_password(None).is_ok(),
            "not an http URL"
        );
        let mut request = http_client()
            .request(method, url)
            .basic_auth(address.username(), address.password())
            .header("content-type", "application/json");
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        let response = request.send().await.context("no answer")?;
        let status = response.status();
        let text = response.text().await?;
        ensure!(status.is_success(), "{path}: {status} {text}");
        if text.is_empty() {
            return Ok(Value::Null);
        }
        Ok(serde_json::from_str(&text)?)
    }

    async fn delete_abandoned_vhosts(&self) -> anyhow::Result<()> {
        let vhosts = self.get("vhosts").await?;
        let names = vhosts
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|vhost| vhost["name"].as_str());
        for name in names.filter(|name| leftovers::is_abandoned(name)) {
            self.call(Method::DELETE, &format!("vhosts/{name}"), None)
                .await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use lapin::{BasicProperties, options::QueueDeclareOptions, types::FieldTable};

    use super::*;

    async fn declare(vhost: &TestVhost, queue: &str) {
        let broker = RawBroker::connect(vhost.url(BrokerUser::Owner)).await;
        broker
            .channel()
            .queue_declare(
                queue.into(),
                QueueDeclareOptions::durable(),
                FieldTable::default(),
            )
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn what_is_published_can_be_looked_at_and_stays() {
        let vhost = TestVhost::create().await;
        declare(&vhost, "payment.test").await;
        let broker = vhost.raw().await;
        assert_eq!(broker.depth("payment.test").await, Some(0));
        assert_eq!(broker.depth("payment.nowhere").await, None);
        let properties = BasicProperties::default().with_content_type("text/plain".into());
        let routed = broker
            .publish("", "payment.test", properties, b"\xff\x00")
            .await;
        assert!(routed);
        assert!(
            !broker
                .publish("", "payment.nowhere", BasicProperties::default(), b"lost")
                .await
        );
        for _ in 0..2 {
            let seen = broker.peek("payment.test", 10).await;
            assert_eq!(seen.len(), 1);
            assert_eq!(seen[0].data, b"\xff\x00");
        }
    }

    #[tokio::test]
    async fn a_service_reads_its_queues_and_does_nothing_else() {
        let vhost = TestVhost::create().await;
        declare(&vhost, "order.test").await;
        let service = RawBroker::connect(vhost.url(BrokerUser::Service)).await;
        assert_eq!(service.peek("order.test", 1).await.len(), 0);
        let declared = service
            .channel()
            .queue_declare(
                "order.mine".into(),
                QueueDeclareOptions::default(),
                FieldTable::default(),
            )
            .await;
        assert!(declared.is_err());
    }
}
