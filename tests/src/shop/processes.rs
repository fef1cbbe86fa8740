//! A shop's processes: started, asked to stop, killed, frozen, and let die at a point of their work.

use std::{
    collections::BTreeMap, os::unix::process::ExitStatusExt, sync::MutexGuard, time::Duration,
};

use super::{GONE_WITHIN, Role, Shop, ports::Ports};
use crate::{http_client, poll_until, process::Process};

/// The signal by which a process ends itself at a fault point.
const SIGABRT: i32 = 6;

impl Shop {
    /// Starts every process, without waiting for any.
    pub fn launch_all(&self) {
        for role in self.layout.roles() {
            self.launch(*role);
        }
    }

    /// SIGKILL to a process.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&self, role: Role) {
        let mut process = self.take(role);
        assert!(process.runs(), "{role:?} had ended by itself");
        process.kill();
    }

    /// SIGSTOP to a process: it holds what it has and does nothing, until it is thawed.
    ///
    /// # Panics
    /// When it does not run.
    pub fn freeze(&self, role: Role) {
        self.with(role, Process::freeze);
    }

    /// SIGCONT to a process that was frozen.
    ///
    /// # Panics
    /// When it does not run.
    pub fn thaw(&self, role: Role) {
        self.with(role, Process::thaw);
    }

    /// SIGTERM to a process; checks that it ends well and says how long that took.
    ///
    /// # Panics
    /// When it does not end in time, or with an error.
    pub async fn stop(&self, role: Role) -> Duration {
        let (status, took) = self.take(role).stop(GONE_WITHIN).await;
        assert!(status.success(), "{role:?} ended with {status}");
        took
    }

    /// Starts a process again that was killed or stopped, and waits until it is ready.
    ///
    /// # Panics
    /// When it does not become ready.
    pub async fn start_again(&self, role: Role) {
        self.launch(role);
        self.ready(role, &http_client()).await;
    }

    /// Starts a process again that is to end itself at a fault point (`before-commit:3`: when it passes it for the third
    /// time), waits until it has, and checks that it ended there and not otherwise.
    ///
    /// # Panics
    /// When it does not end in time, or differently.
    pub async fn dies_at(&self, role: Role, fault: &str, within: Duration) {
        let fault_point = ("GOZON_FAULT_POINT".to_owned(), fault.to_owned());
        self.launch_with(role, [fault_point]);
        let what = format!("{role:?} ends {fault}");
        let status = poll_until(&what, within, async || {
            let mut processes = self.processes();
            processes.get_mut(&role)?.status()
        })
        .await;
        self.take(role);
        assert_eq!(
            status.signal(),
            Some(SIGABRT),
            "{role:?} ended with {status}\n{}",
            self.logs.tail(&role.name())
        );
    }

    fn launch(&self, role: Role) {
        self.launch_with(role, []);
    }

    fn launch_with<const N: usize>(&self, role: Role, settings: [(String, String); N]) {
        let Ports { public, admin } = self.ports[&role];
        let mut environment = self.common_environment();
        environment.extend([
            ("GOZON_PORT".to_owned(), public.to_string()),
            ("GOZON_ADMIN_PORT".to_owned(), admin.to_string()),
        ]);
        environment.extend(self.credentials(role));
        environment.extend(settings);
        let log = self.logs.open(&role.name());
        let process = Process::start(self.version(role), &role.arguments(), &environment, log);
        self.processes().insert(role, process);
    }

    pub(super) fn processes(&self) -> MutexGuard<'_, BTreeMap<Role, Process>> {
        let processes = self.processes.lock();
        processes.expect("nothing panics while it holds the processes")
    }

    fn with(&self, role: Role, act: impl FnOnce(&Process)) {
        let processes = self.processes();
        let process = processes.get(&role);
        act(process.unwrap_or_else(|| panic!("{role:?} does not run")));
    }

    fn take(&self, role: Role) -> Process {
        self.processes()
            .remove(&role)
            .unwrap_or_else(|| panic!("{role:?} does not run"))
    }
}
