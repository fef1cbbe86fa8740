//! The Kubernetes operator: it does what a Deployment and an HPA cannot, and no more. The shop works with it off.
//!
//! What is decided where:
//! - [`resource`] is what people write and read: the types behind the custom resources, what the API server refuses and in
//!   which words. The definitions in the chart are printed from them by [`definitions()`].
//! - [`scaling`] decides how many relays there should be, and [`simulator`] plays load against those decisions.
//! - [`redriving`] decides how a redrive goes on.
//!
//! Services are asked through the operators' API alone, with the operators' token: no login of a database or the broker
//! comes near this crate.

mod definitions;
pub mod redriving;
pub mod resource;
pub mod scaling;
pub mod simulator;

pub use definitions::definitions;
