//! What the figures were measured on.

use std::{fmt, fs, process::Command};

use anyhow::Context;
use serde::Serialize;

use crate::postgres::Postgres;

/// The machine and the versions of what it ran.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    pub(crate) processors: usize,
    pub(crate) processor_model: String,
    pub(crate) memory_gib: u64,
    pub(crate) kernel: String,
    pub(crate) postgres: String,
    pub(crate) rabbitmq: String,
    pub(crate) rustc: String,
}

impl Machine {
    pub(crate) fn look(postgres: &Postgres) -> anyhow::Result<Self> {
        let version = postgres.ask("postgres", "show server_version")?;
        Ok(Self {
            processors: std::thread::available_parallelism()
                .context("the number of processors is unknown")?
                .get(),
            processor_model: after_colon(&read("/proc/cpuinfo")?, "model name")
                .unwrap_or_else(|| "unknown processor".to_owned()),
            memory_gib: after_colon(&read("/proc/meminfo")?, "MemTotal")
                .and_then(|text| text.split(' ').next()?.parse::<u64>().ok())
                .map_or(0, |kib| (kib + 512 * 1024) / (1024 * 1024)),
            kernel: read("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            postgres: first_word(&version),
            rabbitmq: said_by("rabbitmqctl", &["version"]),
            rustc: said_by("rustc", &["--version"])
                .split(' ')
                .nth(1)
                .unwrap_or("unknown")
                .to_owned(),
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} × {}, {} GiB, Linux {}, Postgres {}, RabbitMQ {}, Rust {}",
            self.processors,
            self.processor_model,
            self.memory_gib,
            first_part(&self.kernel),
            self.postgres,
            self.rabbitmq,
            self.rustc
        )
    }
}

fn read(path: &str) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {path}: the bench runs on Linux"))
}

/// What stands behind the colon of the first line that begins so.
fn after_colon(text: &str, name: &str) -> Option<String> {
    text.lines()
        .find(|line| line.starts_with(name))?
        .split_once(':')
        .map(|(_, value)| value.trim().to_owned())
}

fn first_word(text: &str) -> String {
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// A kernel's release without what its builder appended.
fn first_part(release: &str) -> &str {
    release.split('-').next().unwrap_or(release)
}

/// The last line a program says, or `unknown`.
fn said_by(program: &str, arguments: &[&str]) -> String {
    let said = Command::new(program).args(arguments).output().ok();
    said.filter(|output| output.status.success())
        .and_then(|output| {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            text.lines().last().map(|line| line.trim().to_owned())
        })
        .unwrap_or_else(|| "unknown".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_stand_behind_the_colon_of_their_first_line() {
        let text = "processor : 0\nmodel name\t: A: fast one\nmodel name\t: Another\n";
        assert_eq!(
            after_colon(text, "model name"),
            Some("A: fast one".to_owned())
        );
        assert_eq!(after_colon(text, "bogomips"), None);
        assert_eq!(first_part("6.1.0-13-amd64"), "6.1.0");
    }
}
