//! The command line. Addresses and passwords come from the environment, as `gozon` reads them.

use std::path::PathBuf;

use clap::Parser;

/// Measures the shop; called by services/gozon/local/bench
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// The executable under test
    #[arg(long)]
    pub(crate) gozon: PathBuf,
    /// The load generator
    #[arg(long)]
    pub(crate) load: PathBuf,
    /// Process id of the Postgres server
    #[arg(long)]
    pub(crate) postgres: u32,
    /// Process id of the RabbitMQ node
    #[arg(long)]
    pub(crate) rabbitmq: u32,
    /// Run the long cells too
    #[arg(long)]
    pub(crate) full: bool,
    /// Orders in flight at saturation
    #[arg(long, default_value_t = 1_024)]
    pub(crate) in_flight: usize,
    /// Rows of backlog in the long cells
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) backlog: u64,
    /// Where the logs of the shop go
    #[arg(long)]
    pub(crate) logs: PathBuf,
    /// Where all that was found goes, as JSON
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// The document whose table is to be written anew
    #[arg(long)]
    pub(crate) readme: Option<PathBuf>,
}
