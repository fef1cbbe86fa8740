//! Operators' commands: `gozon outbox`, `gozon dead-letters` and `gozon trace`. They are clients of `/ops/v1`, so that
//! who may do what, and the record of it, are in one place, and nobody needs a database's password at 3 a.m.

use serde::Serialize;

use crate::ops::Service;

mod client;
pub(crate) mod dead_letters;
pub(crate) mod outbox;
mod render;
pub(crate) mod trace;

/// Prints an answer as JSON for programs.
fn print_json(answer: &impl Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(answer)?);
    Ok(())
}

/// The services a command asks: one, or both.
fn asked(service: Option<Service>) -> Vec<Service> {
    service.map_or_else(|| Service::ALL.to_vec(), |service| vec![service])
}
