//! The load generator as a process of its own, asked for one phase after the other.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use ::tests::measure::{LoadReport, Phase};
use anyhow::{Context, bail};

use crate::arguments::Arguments;

/// Customers, each with a session and a socket.
pub(crate) const ACCOUNTS: i64 = 10_000;

/// Who orders.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Customers {
    /// The first user id.
    pub(crate) first: i64,
    /// How many percent can pay.
    pub(crate) payable: u8,
}

/// A running generator. It is killed when dropped.
#[derive(Debug)]
pub(crate) struct Generator {
    child: Child,
    phases: Option<ChildStdin>,
    reports: BufReader<ChildStdout>,
}

/// Where the generator finds what; accounts and sessions with the orders unless said otherwise.
#[derive(Debug)]
pub(crate) struct Places {
    pub(crate) orders: String,
    pub(crate) accounts: Option<String>,
    pub(crate) sessions: Option<String>,
}

impl Generator {
    /// Starts the generator, which begins to sign customers in at once.
    pub(crate) fn start(
        arguments: &Arguments,
        places: &Places,
        customers: Customers,
    ) -> anyhow::Result<Self> {
        Self::launch(arguments, places, customers, ACCOUNTS, &[])
    }

    /// The same with so many customers whose accounts are left as they are.
    pub(crate) fn start_prepared(
        arguments: &Arguments,
        places: &Places,
        customers: Customers,
        accounts: i64,
    ) -> anyhow::Result<Self> {
        Self::launch(arguments, places, customers, accounts, &["--prepared"])
    }

    fn launch(
        arguments: &Arguments,
        places: &Places,
        customers: Customers,
        accounts: i64,
        flags: &[&str],
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(&arguments.load);
        command
            .arg("--conversation")
            .args(["--url", &places.orders])
            .args(flags)
            .args(["--accounts", &accounts.to_string()])
            .args(["--first-user", &customers.first.to_string()])
            .args(["--payable", &customers.payable.to_string()]);
        for (flag, url) in [
            ("--account-url", &places.accounts),
            ("--session-url", &places.sessions),
        ] {
            if let Some(url) = url {
                command.args([flag, url]);
            }
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} cannot be run", arguments.load.display()))?;
        let phases = child.stdin.take();
        let reports = child.stdout.take().context("the generator has no output")?;
        Ok(Self {
            child,
            phases,
            reports: BufReader::new(reports),
        })
    }

    /// Runs one phase to its end. The generator bounds every wait, so this ends.
    pub(crate) fn run(&mut self, phase: &Phase) -> anyhow::Result<LoadReport> {
        self.ask(phase)?;
        self.answer()
    }

    /// Begins a phase.
    pub(crate) fn ask(&mut self, phase: &Phase) -> anyhow::Result<()> {
        let phases = self.phases.as_mut().context("the generator has ended")?;
        // A generator that has ended says why on the terminal; the lack of an answer tells the rest.
        let _ = writeln!(phases, "{}", serde_json::to_string(phase)?);
        Ok(())
    }

    /// Waits for the report of the phase begun.
    pub(crate) fn answer(&mut self) -> anyhow::Result<LoadReport> {
        let mut line = String::new();
        if self.reports.read_line(&mut line)? == 0 {
            bail!("the load generator ended without a report; its last words are above");
        }
        serde_json::from_str(&line).with_context(|| format!("{line} is no report"))
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        // It ends with its input; nothing is lost where it does not.
        self.phases.take();
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
