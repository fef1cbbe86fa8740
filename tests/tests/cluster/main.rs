//! The shop in a cluster: installed by Helm, upgraded under load, its pods taken away, and gone again.
//!
//! `make cluster-test` runs these against whatever KUBECONFIG points at, one after the other. Most look at one shop with its
//! databases and broker in the cluster (`inside`), one at a shop whose databases and broker are on this machine (`outside`).
//! Load is made by a pod beside the shop and goes to the shop's Services.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helper functions included"
)]

mod audit;
mod commands;
mod ingress;
mod inside;
mod killer;
mod leftovers;
mod metrics;
mod namespace;
mod operator;
mod outside;
mod pods;
mod prometheus;
mod restricted;
mod upgrade;
mod visitors;
mod volumes;

use tests::setting;

/// The images that `make cluster-test` has put on the node.
const STAND_INS: &str = "gozon-test";

/// A setting of the run, which `make cluster-test` makes.
fn given(name: &str) -> String {
    setting(name).unwrap_or_else(|| panic!("{name} is not set: run this by `make cluster-test`"))
}
