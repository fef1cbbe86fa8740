//! The Kubernetes operator: it does what a Deployment and an HPA cannot, and no more. The shop works with it off.
//!
//! What is decided where:
//! - [`resource`] is what people write and read: the types behind the custom resources, what the API server refuses and in
//!   which words. The definitions in the chart are printed from them by [`definitions()`].
//! - [`scaling`] decides how many relays there should be, and [`simulator`] plays load against those decisions.
//! - [`redriving`] decides how a redrive goes on.
//! - [`Operator`] is what does it: of several processes the one with the lease looks at each resource, asks the services, and
//!   takes the steps that were decided.
//!
//! Services are asked through the operators' API alone, with the operators' token: no login of a database or the broker
//! comes near this crate.

mod calls;
mod controller;
mod definitions;
mod lease;
mod metrics;
mod operator;
pub mod ops;
pub mod redriving;
pub mod resource;
pub mod scaling;
pub mod simulator;

pub use self::{
    definitions::definitions,
    lease::{Contact, NoContact},
    metrics::Metrics,
    operator::{Operator, Settings, StartError},
};
