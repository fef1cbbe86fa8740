//! The names of the secrets, each with a `_FILE` twin.

/// Keys that sign sessions: one base64url key per line, the first signs, all verify.
pub(crate) const SESSION_KEYS: &str = "GOZON_SESSION_KEYS";
/// The operators' key; without one there are no operators.
pub(crate) const OPERATOR_TOKEN: &str = "GOZON_OPERATOR_TOKEN";
/// The orders database as the login that reads for the API.
pub(crate) const ORDERS_API_URL: &str = "GOZON_ORDERS_API_URL";
/// The orders database as the login that writes.
pub(crate) const ORDERS_WRITER_URL: &str = "GOZON_ORDERS_WRITER_URL";
/// The orders database as the login of relays.
pub(crate) const ORDERS_RELAY_URL: &str = "GOZON_ORDERS_RELAY_URL";
/// The orders database as the login that only reads.
pub(crate) const ORDERS_AUDIT_URL: &str = "GOZON_ORDERS_AUDIT_URL";
/// The orders database as its owner.
pub(crate) const ORDERS_OWNER_URL: &str = "GOZON_ORDERS_OWNER_URL";
/// The payments database as the login that reads for the API.
pub(crate) const PAYMENTS_API_URL: &str = "GOZON_PAYMENTS_API_URL";
/// The payments database as the login that writes.
pub(crate) const PAYMENTS_WRITER_URL: &str = "GOZON_PAYMENTS_WRITER_URL";
/// The payments database as the login of relays.
pub(crate) const PAYMENTS_RELAY_URL: &str = "GOZON_PAYMENTS_RELAY_URL";
/// The payments database as the login that only reads.
pub(crate) const PAYMENTS_AUDIT_URL: &str = "GOZON_PAYMENTS_AUDIT_URL";
/// The payments database as its owner.
pub(crate) const PAYMENTS_OWNER_URL: &str = "GOZON_PAYMENTS_OWNER_URL";
/// The broker as the user that reads queues.
pub(crate) const AMQP_SERVICE_URL: &str = "GOZON_AMQP_SERVICE_URL";
/// The broker as the user that publishes.
pub(crate) const AMQP_RELAY_URL: &str = "GOZON_AMQP_RELAY_URL";
/// The broker as the user that declares the topology.
pub(crate) const AMQP_OWNER_URL: &str = "GOZON_AMQP_OWNER_URL";
/// A bearer token for `smoke`, where there is no demo identity.
pub(crate) const TOKEN: &str = "GOZON_TOKEN";
