//! `gozon`: the shop's one executable, with a sub-command for each role.

use std::process::ExitCode;

mod announce;
mod cli;
mod config;
mod gate;
mod listen;
mod openapi;
mod part;
mod process;
mod role;
mod runtime;
mod signals;
mod web;

fn main() -> ExitCode {
    match runtime::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gozon: {}", chassis::chain(&*error));
            ExitCode::FAILURE
        }
    }
}
