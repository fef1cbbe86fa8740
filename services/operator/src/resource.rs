//! The custom resources, group `gozon.io`, version `v1alpha1`.
//!
//! The group is the product's name as a domain, not a service's or a chart's: both may change, a group cannot without moving
//! every resource. The version promises nothing yet: fields may still change between releases.
//!
//! Rules that people meet are CEL with a sentence; the ranges of JSON Schema would say only that a number "should be less than
//! or equal to 64".

mod condition;
#[allow(
    clippy::duplicated_attributes,
    reason = "each column that is printed has its own name, type and path"
)]
#[expect(
    unreachable_pub,
    reason = "the derive of a schema makes a copy of each type, as public as the type and seen by nobody"
)]
mod outbox_relay;
#[allow(
    clippy::duplicated_attributes,
    reason = "each column that is printed has its own name, type and path"
)]
#[expect(
    unreachable_pub,
    reason = "the derive of a schema makes a copy of each type, as public as the type and seen by nobody"
)]
mod redrive;

pub use self::{
    condition::{Condition, ConditionStatus, Verdict, say},
    outbox_relay::{
        Decision, LaneOwner, Learned, OutboxRelay, OutboxRelaySpec, OutboxRelayStatus, ScaleTarget,
    },
    redrive::{ChosenLetter, Phase, Redrive, RedriveFilter, RedriveSpec, RedriveStatus, Sample},
};

pub(crate) use self::condition::instant;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Into how many lanes an outbox is divided: more relays than that would have nothing to publish.
pub const LANES: i32 = 64;

/// A service that has an outbox and dead letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Service {
    /// The order service.
    Order,
    /// The payment service.
    Payment,
}

impl Service {
    /// Its name, also in the paths of the operators' API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Payment => "payment",
        }
    }
}

#[cfg(test)]
mod tests;
