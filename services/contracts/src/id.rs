//! Typed ids: one line per id, so that an order's id can never be passed where an account's belongs.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Declares a `UUIDv7` newtype that is transparent to serde and sqlx.
macro_rules! uuid_id {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id of this instant (`UUIDv7`, RFC 9562: sorts by time of creation).
            #[must_use]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The id as a plain UUID.
            #[must_use]
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

uuid_id! {
    /// An order; given by the order service when the order is placed.
    OrderId;
    /// An account of the payment service.
    AccountId;
    /// A ledger entry of the payment service.
    EntryId;
    /// An event: one message's identity through outbox, broker and inbox, unchanged by retries.
    EventId;
}

/// A customer: a positive 64-bit integer, as the shop's identity provider numbers them.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type,
)]
#[serde(try_from = "i64", into = "i64")]
#[sqlx(transparent)]
pub struct UserId(i64);

/// A user id that is zero or negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a user id is a positive 64-bit integer")]
pub struct UserIdNotPositive;

impl UserId {
    /// The id as a plain integer, always positive.
    #[must_use]
    pub const fn as_i64(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for UserId {
    type Error = UserIdNotPositive;

    fn try_from(id: i64) -> Result<Self, Self::Error> {
        if id > 0 {
            Ok(Self(id))
        } else {
            Err(UserIdNotPositive)
        }
    }
}

impl From<UserId> for i64 {
    fn from(id: UserId) -> Self {
        id.0
    }
}

impl std::fmt::Display for UserId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_id_is_positive() {
        assert_eq!(UserId::try_from(0), Err(UserIdNotPositive));
        assert_eq!(UserId::try_from(-1), Err(UserIdNotPositive));
        assert_eq!(UserId::try_from(i64::MAX).map(UserId::as_i64), Ok(i64::MAX));
        assert!(serde_json::from_str::<UserId>("0").is_err());
        assert!(serde_json::from_str::<UserId>("9223372036854775808").is_err());
    }

    #[test]
    fn ids_sort_by_time_of_creation() {
        let first = OrderId::new();
        let second = OrderId::new();
        assert!(first < second);
        assert_eq!(first.as_uuid().get_version_num(), 7);
    }
}
