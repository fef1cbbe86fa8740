//! One process of the executable under test.

use std::{
    fs::File,
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

use crate::{instance::setting, poll_until, program::Version, watchdog};

/// Runs `gozon` to its end with exactly this environment, and gives its status and everything it wrote.
///
/// # Panics
/// When there is no such executable, or it does not end.
pub async fn gozon(arguments: &[&str], environment: &[(&str, &str)]) -> (ExitStatus, String) {
    let output = gozon_output(arguments, environment).await;
    let text = [output.stdout, output.stderr].concat();
    (output.status, String::from_utf8_lossy(&text).into_owned())
}

/// The same, with what it wrote to each of its two outputs.
pub(crate) async fn gozon_output(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    const AT_MOST: Duration = Duration::from_mins(1);
    let output = tokio::process::Command::from(command(Version::This))
        .args(arguments)
        .envs(environment.iter().copied())
        .kill_on_drop(true)
        .output();
    tokio::time::timeout(AT_MOST, output)
        .await
        .expect("the command ends by itself")
        .expect("the executable can be run")
}

/// A running (or ended) `gozon` process. It is killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts `gozon` with arguments and with exactly this environment.
    ///
    /// # Panics
    /// When there is no such executable.
    pub(crate) fn start(
        version: Version,
        arguments: &[String],
        environment: &[(String, String)],
        log: File,
    ) -> Self {
        let output = log.try_clone().expect("a file handle can be cloned");
        let child = command(version)
            .args(arguments)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdout(output)
            .stderr(log)
            .spawn()
            .expect("the executable can be run");
        watchdog::watch_process(child.id());
        Self { child }
    }

    /// True as long as it has not ended.
    pub(crate) fn runs(&mut self) -> bool {
        self.status().is_none()
    }

    /// SIGKILL: it ends at once, wherever it is.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("our own child can be killed");
        self.child.wait().expect("our own child can be waited for");
    }

    /// SIGTERM; then waits until it has ended by itself. Says how it ended and how long that took.
    ///
    /// # Panics
    /// When it has not ended within the time given.
    pub(crate) async fn stop(&mut self, within: Duration) -> (ExitStatus, Duration) {
        let started = Instant::now();
        self.signal("TERM");
        let status = poll_until("the process ends after SIGTERM", within, async || {
            self.status()
        })
        .await;
        (status, started.elapsed())
    }

    /// SIGSTOP: it stays where it is, with everything it holds.
    pub(crate) fn freeze(&self) {
        self.signal("STOP");
    }

    /// SIGCONT: it goes on as if no time had passed.
    pub(crate) fn thaw(&self) {
        self.signal("CONT");
    }

    /// How it ended, if it has.
    pub(crate) fn status(&mut self) -> Option<ExitStatus> {
        self.child
            .try_wait()
            .expect("our own child can be waited for")
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([format!("-{name}"), self.child.id().to_string()])
            .status()
            .expect("every Unix has kill");
        assert!(sent.success(), "the process had ended before SIG{name}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The executable without arguments, and with nothing in its environment that tells it anything.
fn command(version: Version) -> Command {
    let mut command = Command::new(version.path());
    command
        .env_clear()
        .envs(setting("PATH").map(|path| ("PATH", path)))
        .env("RUST_BACKTRACE", "1")
        .stdin(Stdio::null());
    command
}
