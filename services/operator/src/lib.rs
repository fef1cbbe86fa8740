//! The Kubernetes operator: it does what a Deployment and an HPA cannot, and no more. The shop works with it off.
//!
//! What is decided where:
//! - [`resource`] is what people write and read: the types behind the custom resources, what the API server refuses and in
//!   which words. The definitions in the chart are printed from them by [`definitions()`].
//!
//! Services are asked through the operators' API alone, with the operators' token: no login of a database or the broker
//! comes near this crate.

mod definitions;
pub mod resource;

pub use definitions::definitions;
