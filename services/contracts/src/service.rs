//! The services by the names under which they appear in traces (`service.name`).

/// Orders.
pub const ORDER: &str = "gozon-order";

/// Accounts and payments.
pub const PAYMENT: &str = "gozon-payment";

/// From an outbox to the broker, whichever database it is of.
pub const RELAY: &str = "gozon-relay";

/// The page and sessions.
pub const WEB: &str = "gozon-web";

/// Relays scaled and dead letters redriven, in a cluster.
pub const OPERATOR: &str = "gozon-operator";

/// All that make up a shop.
pub const ALL: [&str; 4] = [ORDER, PAYMENT, RELAY, WEB];
