//! The two databases, and which secret opens each as whom.

use clap::ValueEnum;

use super::secret_names;

/// One of the shop's databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Database {
    /// The order service's.
    Orders,
    /// The payment service's.
    Payments,
}

impl Database {
    /// The database's name, for people and metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Payments => "payments",
        }
    }

    /// The secret that opens it for a relay.
    pub(crate) const fn relay_url_name(self) -> &'static str {
        match self {
            Self::Orders => secret_names::ORDERS_RELAY_URL,
            Self::Payments => secret_names::PAYMENTS_RELAY_URL,
        }
    }

    /// The secret that opens it for an audit.
    pub(crate) const fn audit_url_name(self) -> &'static str {
        match self {
            Self::Orders => secret_names::ORDERS_AUDIT_URL,
            Self::Payments => secret_names::PAYMENTS_AUDIT_URL,
        }
    }

    /// The secret that opens it for its owner.
    pub(crate) const fn owner_url_name(self) -> &'static str {
        match self {
            Self::Orders => secret_names::ORDERS_OWNER_URL,
            Self::Payments => secret_names::PAYMENTS_OWNER_URL,
        }
    }
}
