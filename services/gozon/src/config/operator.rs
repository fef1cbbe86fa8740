//! What the operator needs: where the services are, the operators' token, and who it is among its like.

use anyhow::Context;
use clap::Args;
use secrecy::SecretString;
use url::Url;

use super::{Environment, ServeArgs, secret_names::OPERATOR_TOKEN};

/// Flags of `gozon operator`.
#[derive(Debug, Args)]
pub(crate) struct OperatorArgs {
    /// Where the order service is: `http://gozon-order`, say
    #[arg(long, env = "GOZON_OPERATOR_ORDER_ADDRESS", value_name = "ADDRESS")]
    order_address: Url,
    /// Where the payment service is
    #[arg(long, env = "GOZON_OPERATOR_PAYMENT_ADDRESS", value_name = "ADDRESS")]
    payment_address: Url,
    /// The namespace whose resources it looks after [default: its Pod's, or the kubeconfig's]
    #[arg(long, env = "GOZON_OPERATOR_NAMESPACE")]
    namespace: Option<String>,
    /// Name of the Lease that the one operator holds which acts
    #[arg(long, env = "GOZON_OPERATOR_LEASE", default_value = "gozon-operator")]
    lease: String,
    /// Its name, unlike that of any other operator: its Pod's [default: made up at each start]
    #[arg(long, env = "GOZON_OPERATOR_IDENTITY")]
    identity: Option<String>,
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
}

/// The operator's configuration.
#[derive(Debug)]
pub(crate) struct OperatorConfig {
    pub(crate) addresses: operator::ops::Addresses,
    pub(crate) token: SecretString,
    pub(crate) namespace: Option<String>,
    pub(crate) lease: String,
    pub(crate) identity: String,
}

impl OperatorConfig {
    pub(crate) fn read(args: &OperatorArgs, environment: &Environment) -> anyhow::Result<Self> {
        let token = environment.optional_secret(OPERATOR_TOKEN)?;
        let identity = args.identity.clone();
        Ok(Self {
            addresses: operator::ops::Addresses {
                order: args.order_address.clone(),
                payment: args.payment_address.clone(),
            },
            token: token.with_context(|| {
                format!(
                    "there is no operators' token: set {OPERATOR_TOKEN}, or {OPERATOR_TOKEN}_FILE to the path of a file \
                     that holds it"
                )
            })?,
            namespace: args.namespace.clone(),
            lease: args.lease.clone(),
            identity: identity.unwrap_or_else(|| format!("gozon-operator-{}", uuid::Uuid::new_v4())),
        })
    }
}
