//! The shop under test: processes of the delivered executable, on the instance's own databases.

use std::{
    fs::{self, File},
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};

use crate::{arguments::Arguments, postgres::required};

/// A process is ready within this time.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// A process ends by itself this long after SIGTERM.
const GONE_WITHIN: Duration = Duration::from_secs(40);

/// How often to look.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The longest answer of `/readyz` that matters: its first line.
const STATUS_LINE_BYTES: usize = 64;

/// `gozon` processes. They are killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Shop {
    program: PathBuf,
    logs: PathBuf,
    processes: Vec<Process>,
}

#[derive(Debug)]
struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Shop {
    /// Brings databases and topology up to date, and starts nothing yet.
    pub(crate) fn migrate(arguments: &Arguments) -> anyhow::Result<Self> {
        let shop = Self {
            program: arguments.gozon.clone(),
            logs: arguments.logs.clone(),
            processes: Vec::new(),
        };
        let log = shop.logs.join("migrate.log");
        let status = shop
            .command(&["migrate"], &log)?
            .status()
            .with_context(|| format!("{} cannot be run", shop.program.display()))?;
        ensure!(status.success(), "gozon migrate failed:\n{}", tail(&log));
        Ok(shop)
    }

    /// Starts the whole shop as one process, with further variables in its environment, and waits until it is ready.
    pub(crate) fn start_all(&mut self, environment: &[(&str, &str)]) -> anyhow::Result<()> {
        let port = required("GOZON_ADMIN_PORT")?;
        self.launch("all", &["all"], environment)?;
        self.wait_until_ready(&port)
    }

    /// Where the whole shop serves.
    pub(crate) fn url() -> anyhow::Result<String> {
        Ok(format!("http://127.0.0.1:{}", required("GOZON_PORT")?))
    }

    /// Starts a process with further variables in its environment.
    pub(crate) fn launch(
        &mut self,
        name: &str,
        role: &[&str],
        environment: &[(&str, &str)],
    ) -> anyhow::Result<()> {
        let log = self.logs.join(format!("{name}.log"));
        let child = self
            .command(role, &log)?
            .envs(environment.iter().copied())
            .spawn()
            .with_context(|| format!("{} cannot be run", self.program.display()))?;
        self.processes.push(Process {
            name: name.to_owned(),
            child,
            log,
        });
        Ok(())
    }

    /// Waits until the process launched last says on its admin port that it is ready.
    pub(crate) fn wait_until_ready(&mut self, admin_port: &str) -> anyhow::Result<()> {
        let process = self.processes.last_mut().context("nothing was launched")?;
        let deadline = Instant::now() + READY_WITHIN;
        while !is_ready(admin_port) {
            if let Some(status) = process.child.try_wait()? {
                bail!(
                    "gozon {} ended with {status}:\n{}",
                    process.name,
                    tail(&process.log)
                );
            }
            ensure!(
                Instant::now() < deadline,
                "gozon {} did not become ready:\n{}",
                process.name,
                tail(&process.log)
            );
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// The ids of all its processes.
    pub(crate) fn processes(&self) -> Vec<u32> {
        self.processes
            .iter()
            .map(|process| process.child.id())
            .collect()
    }

    /// SIGKILL to the process of this name.
    pub(crate) fn kill(&mut self, name: &str) -> anyhow::Result<()> {
        let mut processes = self.processes.iter();
        let index = processes.position(|process| process.name == name);
        let mut process = self.processes.remove(index.context("it does not run")?);
        process.child.kill()?;
        process.child.wait()?;
        Ok(())
    }

    /// Stops the process launched last, cleanly.
    pub(crate) fn stop_last(&mut self) -> anyhow::Result<()> {
        let Some(mut process) = self.processes.pop() else {
            return Ok(());
        };
        let stopped = stop(&mut process);
        process.child.kill().ok();
        process.child.wait().ok();
        stopped.with_context(|| format!("its log ends with:\n{}", tail(&process.log)))
    }

    /// Stops everything, cleanly, in the opposite order of the launches.
    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        while !self.processes.is_empty() {
            self.stop_last()?;
        }
        Ok(())
    }

    fn command(&self, role: &[&str], log: &Path) -> anyhow::Result<Command> {
        let output =
            File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = Command::new(&self.program);
        command
            .args(role)
            .env("GOZON_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        Ok(command)
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        for process in &mut self.processes {
            process.child.kill().ok();
            process.child.wait().ok();
        }
    }
}

fn stop(process: &mut Process) -> anyhow::Result<()> {
    let id = process.child.id().to_string();
    Command::new("kill").args(["-TERM", &id]).status()?;
    let deadline = Instant::now() + GONE_WITHIN;
    loop {
        if let Some(status) = process.child.try_wait()? {
            ensure!(
                status.success(),
                "gozon {} ended with {status}",
                process.name
            );
            return Ok(());
        }
        ensure!(
            Instant::now() < deadline,
            "gozon {} did not end after SIGTERM",
            process.name
        );
        thread::sleep(LOOK_EVERY);
    }
}

fn is_ready(admin_port: &str) -> bool {
    let ask = || -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(format!("127.0.0.1:{admin_port}"))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream
            .write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut answer = vec![0; STATUS_LINE_BYTES];
        let read = stream.read(&mut answer)?;
        answer.truncate(read);
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with(b"HTTP/1.1 200 "))
}

/// The last lines of a log.
fn tail(log: &Path) -> String {
    const LINES: usize = 15;
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
