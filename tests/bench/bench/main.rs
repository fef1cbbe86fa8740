//! `make bench`: measures the shop as it is delivered, cell by cell, and writes what it found.
//!
//! The script `services/gozon/local/bench` builds, starts Postgres and RabbitMQ, and calls this program.

mod arguments;
mod audit;
mod cells;
mod figures;
mod generator;
mod machine;
mod median;
mod pgbench;
mod ports;
mod postgres;
mod readme;
mod result;
mod shop;
mod table;

use std::{process::ExitCode, time::Instant};

use anyhow::Context;
use clap::Parser;

use crate::{
    arguments::Arguments, figures::Figures, machine::Machine, postgres::Postgres, result::Outcome,
};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(outcome) if outcome.failures.is_empty() => ExitCode::SUCCESS,
        Ok(outcome) => {
            eprintln!("\nThe bench has failed, so its figures mean nothing:");
            for failure in &outcome.failures {
                eprintln!("  {failure}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let began = Instant::now();
    let postgres = Postgres::of_environment(arguments.postgres)?;
    postgres.require_durability()?;
    let machine = Machine::look(&postgres)?;
    println!("{machine}");
    let mut outcome = Outcome::new(machine, arguments.full);
    cells::run(arguments, &postgres, &mut outcome)?;
    audit::run(arguments, &mut outcome)?;
    let title = format!(
        "{} on {} ({:.0} s)",
        outcome.date,
        outcome.machine,
        began.elapsed().as_secs_f64()
    );
    println!("\n{title}\n\n{}", table::text(&outcome.figures));
    outcome
        .write(&arguments.out)
        .with_context(|| format!("cannot write {}", arguments.out.display()))?;
    println!("written: {}", arguments.out.display());
    if let Some(readme) = &arguments.readme
        && outcome.failures.is_empty()
    {
        readme::update(readme, &outcome)?;
        println!("written: {}", readme.display());
    }
    Ok(outcome)
}
