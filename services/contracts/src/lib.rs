//! What goes over the wire between the services: ids, money, events and their envelope. No I/O.

pub mod cloud_event;
pub mod id;
pub mod message;
pub mod metrics;
pub mod money;
#[cfg(feature = "other-version")]
mod other_version;
pub mod service;
pub mod trace_context;

pub use cloud_event::CloudEvent;
pub use id::{AccountId, EntryId, EventId, OrderId, UserId};
pub use message::{
    DeclineReason, Message, OrderPlaced, PaymentCaptured, PaymentDeclined, PaymentRefunded,
    RefundRequested,
};
pub use money::{Currency, Money, MoneyError};
pub use trace_context::TraceContext;
