//! The processes a shop can be split into.

/// One process of the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Everything in one process.
    All,
    /// A replica of the order service.
    Order(u8),
    /// A replica of the payment service.
    Payment(u8),
    /// A relay of the order database.
    OrdersRelay(u8),
    /// A relay of the payment database.
    PaymentsRelay(u8),
    /// The page and the sign-in.
    Web,
}

/// How the shop is split into processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `gozon all`.
    Together,
    /// A process per role, and two of the order service and of each relay.
    Separately,
    /// Two processes of everything but the page.
    InPairs,
    /// Three of the order service, one of everything else.
    ThreeOrders,
}

impl Layout {
    /// The processes of this layout.
    pub(super) const fn roles(self) -> &'static [Role] {
        match self {
            Self::Together => &[Role::All],
            Self::Separately => &[
                Role::Order(1),
                Role::Order(2),
                Role::Payment(1),
                Role::OrdersRelay(1),
                Role::OrdersRelay(2),
                Role::PaymentsRelay(1),
                Role::PaymentsRelay(2),
                Role::Web,
            ],
            Self::ThreeOrders => &[
                Role::Order(1),
                Role::Order(2),
                Role::Order(3),
                Role::Payment(1),
                Role::OrdersRelay(1),
                Role::PaymentsRelay(1),
                Role::Web,
            ],
            Self::InPairs => &[
                Role::Order(1),
                Role::Order(2),
                Role::Payment(1),
                Role::Payment(2),
                Role::OrdersRelay(1),
                Role::OrdersRelay(2),
                Role::PaymentsRelay(1),
                Role::PaymentsRelay(2),
                Role::Web,
            ],
        }
    }
}

impl Role {
    /// The name of its log.
    pub(super) fn name(self) -> String {
        match self {
            Self::All => "all".to_owned(),
            Self::Order(replica) => format!("order-{replica}"),
            Self::Payment(replica) => format!("payment-{replica}"),
            Self::OrdersRelay(replica) => format!("orders-relay-{replica}"),
            Self::PaymentsRelay(replica) => format!("payments-relay-{replica}"),
            Self::Web => "web".to_owned(),
        }
    }

    /// What makes `gozon` play this role.
    pub(super) fn arguments(self) -> Vec<String> {
        let words: &[&str] = match self {
            Self::All => &["all"],
            Self::Order(_) => &["order"],
            Self::Payment(_) => &["payment"],
            Self::OrdersRelay(_) => &["relay", "--database", "orders"],
            Self::PaymentsRelay(_) => &["relay", "--database", "payments"],
            Self::Web => &["web"],
        };
        words.iter().map(|&word| word.to_owned()).collect()
    }
}
