//! The command line.

use std::fs;

use ::tests::measure::Phase;
use anyhow::{Context, bail, ensure};
use clap::Parser;

/// Besides the sockets: connections for requests, the runtime's own, and some to spare.
const FILES_BESIDES_SOCKETS: usize = 2_000;

/// Places orders at a running shop (demo profile) and follows each one to the push of its end
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// Where the shop is, e.g. <http://127.0.0.1:8080>
    #[arg(long)]
    pub(crate) url: String,
    /// Where accounts are, if not there
    #[arg(long)]
    pub(crate) account_url: Option<String>,
    /// Where sessions are, if not there
    #[arg(long)]
    pub(crate) session_url: Option<String>,
    /// Customers, each with a session and a WebSocket of its own
    #[arg(long, default_value_t = 10_000)]
    pub(crate) accounts: usize,
    /// How many percent of the accounts can pay; of the rest one half has no account, the other no money
    #[arg(long, default_value_t = 95, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) payable: u8,
    /// The user id of the first customer; the others follow
    #[arg(long, default_value_t = 1)]
    pub(crate) first_user: i64,
    /// The accounts are open and funded from an earlier run with the same users and share
    #[arg(long)]
    pub(crate) prepared: bool,
    #[command(flatten)]
    pub(crate) phase: Phase,
    /// Read phases from the standard input instead, one JSON object a line, and answer each with a report
    #[arg(long)]
    pub(crate) conversation: bool,
    /// Print the report as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl Arguments {
    /// What cannot be said by types.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        ensure!(self.accounts > 0, "--accounts must be at least 1");
        if let Some(flaw) = self.phase.flaw() {
            bail!("{flaw}");
        }
        ensure!(self.first_user > 0, "--first-user must be at least 1");
        let needed = self.accounts + FILES_BESIDES_SOCKETS;
        let limit = open_files_limit()?;
        ensure!(
            limit >= needed,
            "this process may open {limit} files and needs {needed}: run `ulimit -n {needed}` in this shell first"
        );
        Ok(())
    }
}

fn open_files_limit() -> anyhow::Result<usize> {
    const FILE: &str = "/proc/self/limits";
    let text = fs::read_to_string(FILE)
        .with_context(|| format!("cannot read {FILE}: the load generator runs on Linux"))?;
    soft_limit(&text).with_context(|| format!("{FILE} has an unknown format"))
}

/// The soft limit of open files in the text of `/proc/self/limits`.
fn soft_limit(text: &str) -> Option<usize> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_ascii_whitespace().next()? {
        "unlimited" => Some(usize::MAX),
        number => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_open_files_is_the_soft_one() {
        let text = "Limit   Soft Limit  Hard Limit  Units\nMax open files            1024                 20000                files\n";
        assert_eq!(soft_limit(text), Some(1_024));
        assert_eq!(
            soft_limit("Max open files  unlimited  unlimited  files"),
            Some(usize::MAX)
        );
        assert_eq!(soft_limit("Max processes 1 1"), None);
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }
}
