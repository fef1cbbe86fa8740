//! The operator as a whole: of several processes one acts, and the others stand by.

use kube::{Client, Config, client::ClientBuilder};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use chassis::trace::TraceOptions;

use crate::{
    calls::CountCalls,
    controller::{self, Common},
    lease::{Contact, Leadership},
    metrics::Metrics,
    ops::{Addresses, NoClient, Ops},
};

/// What an operator is told.
#[derive(Debug)]
pub struct Settings {
    /// Where the services are.
    pub addresses: Addresses,
    /// The operators' token for them.
    pub token: SecretString,
    /// The name of the Lease that the one who acts holds.
    pub lease: String,
    /// The name of this process, unlike that of any other: its Pod's.
    pub identity: String,
    /// The namespace whose resources it looks after; its own where none is given.
    pub namespace: Option<String>,
    /// Whose traces its reconciles are.
    pub trace: TraceOptions,
}

/// Why an operator cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It does not know where the API server is.
    #[error("no Kubernetes: neither a Pod's service account nor a kubeconfig was found")]
    Config(#[source] Box<kube::config::InferConfigError>),
    /// No client can be made of what it knows.
    #[error("no client of the API server")]
    Client(#[source] Box<kube::Error>),
    /// No client of the services can be made.
    #[error(transparent)]
    Ops(#[from] NoClient),
}

/// An operator that acts whenever it holds the lease.
pub struct Operator {
    client: Client,
    common: Common,
    leadership: Leadership,
    contact: Contact,
}

impl Operator {
    /// An operator in the cluster that the process finds itself in, or that its kubeconfig leads to.
    pub async fn new(settings: Settings, metrics: Metrics) -> Result<Self, StartError> {
        let mut config = Config::infer()
            .await
            .map_err(|error| StartError::Config(Box::new(error)))?;
        if let Some(namespace) = settings.namespace.clone() {
            config.default_namespace = namespace;
        }
        let client = ClientBuilder::try_from(config)
            .map_err(|error| StartError::Client(Box::new(error)))?
            .with_layer(&CountCalls(metrics.clone()))
            .build();
        Ok(Self::with(client, settings, metrics)?)
    }

    /// The same with a client of the API server that is given.
    pub(crate) fn with(
        client: Client,
        settings: Settings,
        metrics: Metrics,
    ) -> Result<Self, NoClient> {
        let contact = Contact::default();
        let names = (settings.lease, settings.identity.clone());
        Ok(Self {
            leadership: Leadership::new(client.clone(), names, contact.clone(), metrics.clone()),
            client,
            common: Common {
                ops: Ops::new(settings.addresses, settings.token)?,
                metrics,
                trace: settings.trace,
                identity: settings.identity,
            },
            contact,
        })
    }

    /// What readiness asks: one that stands by is ready, too.
    #[must_use]
    pub fn contact(&self) -> Contact {
        self.contact.clone()
    }

    /// Acts or stands by until stopped, then finishes what is in hand and gives the lease back.
    pub async fn run(mut self, stop: CancellationToken) {
        let (client, common) = (self.client, self.common);
        self.leadership
            .while_held(&stop, |stop| {
                controller::run(client.clone(), common.clone(), stop)
            })
            .await;
    }
}
