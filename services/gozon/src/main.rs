//! `gozon`: the shop's one executable, with a sub-command for each role.

use std::process::ExitCode;

use mimalloc::MiMalloc;

mod announce;
mod cli;
mod config;
mod gate;
mod listen;
mod metrics;
mod openapi;
mod ops;
mod part;
mod process;
mod role;
mod runtime;
mod signals;
mod web;

/// Requests and rows are thousands of small allocations, freed on other threads than they were made on.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match runtime::run() {
        Ok(status) => status,
        Err(error) => {
            eprintln!("gozon: {}", chassis::chain(&*error));
            ExitCode::FAILURE
        }
    }
}
