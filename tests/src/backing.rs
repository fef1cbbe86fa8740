//! A Postgres and a RabbitMQ of a test's own, for tests that restart them under everybody's feet.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::sync::{Mutex, MutexGuard};

use crate::{Instance, leftovers, poll_until, program, vhost::Management, watchdog};

/// A private instance. Deleted when the last test that uses it has ended.
#[derive(Debug)]
pub struct Backing {
    folder: PathBuf,
    turn: Mutex<()>,
}

/// RabbitMQ has registered a new queue on disk within this time.
const REGISTERED_WITHIN: Duration = Duration::from_secs(10);

/// RabbitMQ looks at its memory every few seconds.
const ALARMED_WITHIN: Duration = Duration::from_secs(20);

/// Which of the two servers.
#[derive(Debug, Clone, Copy)]
pub enum Server {
    /// Postgres.
    Postgres,
    /// RabbitMQ.
    RabbitMq,
}

/// The right to disturb the private instance; held by one test at a time.
#[derive(Debug)]
pub struct Turn<'b> {
    backing: &'b Backing,
    _turn: MutexGuard<'b, ()>,
}

/// A broker that hears everything and answers nothing.
#[derive(Debug)]
#[must_use]
pub struct FrozenBroker<'b> {
    backing: &'b Backing,
}

impl Backing {
    /// The private instance of this test program, started by the first who asks.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn private() -> Arc<Self> {
        static PRIVATE: Mutex<Weak<Backing>> = Mutex::const_new(Weak::new());
        let mut private = PRIVATE.lock().await;
        if let Some(backing) = private.upgrade() {
            return backing;
        }
        let backing = Arc::new(Self::start().await);
        *private = Arc::downgrade(&backing);
        backing
    }

    /// Addresses and passwords.
    #[must_use]
    pub fn instance(&self) -> Instance {
        Instance::in_folder(&self.folder)
    }

    /// Waits until no other test disturbs it.
    pub async fn turn(&self) -> Turn<'_> {
        Turn {
            backing: self,
            _turn: self.turn.lock().await,
        }
    }

    async fn start() -> Self {
        let folder = program::target_folder()
            .join("test-instances")
            .join(leftovers::unique_name("instance"));
        std::fs::create_dir_all(&folder).expect("the target folder is writable");
        watchdog::watch_instance(&folder);
        let backing = Self {
            folder,
            turn: Mutex::new(()),
        };
        backing.run(&["start"]).await;
        backing
    }

    /// Waits until RabbitMQ has written the names of its quorum queues to disk. It does so up to three seconds after
    /// their declaration (its registry is a dets table with delayed writes), and a queue younger than that is lost when
    /// its node is killed, whatever was confirmed. No client can do anything about that.
    async fn queues_are_registered(&self) {
        let management = Management::of(&self.instance());
        let queues = management
            .get("queues")
            .await
            .expect("the management API lists queues");
        // In the registry a name stands behind its length, so that `orders.v1` is not found in `orders.v1.dead`.
        let names: Vec<Vec<u8>> = queues
            .as_array()
            .into_iter()
            .flatten()
            // A relay's fence is an exclusive queue that lives in memory.
            .filter(|queue| queue["type"] == "quorum")
            .filter_map(|queue| {
                let name = format!("{}_{}", queue["vhost"].as_str()?, queue["name"].as_str()?);
                let length = u8::try_from(name.len()).ok()?;
                Some([&[length], name.as_bytes()].concat())
            })
            .collect();
        poll_until(
            "RabbitMQ registers its queues",
            REGISTERED_WITHIN,
            async || {
                let registry = self.registry();
                let is_registered = |name: &Vec<u8>| {
                    let mut windows = registry.windows(name.len());
                    windows.any(|window| window == name.as_slice())
                };
                names.iter().all(is_registered).then_some(())
            },
        )
        .await;
    }

    /// The registry of all quorum queues, as it is on disk.
    fn registry(&self) -> Vec<u8> {
        let data = self.folder.join("rabbitmq/data");
        let nodes = std::fs::read_dir(data).expect("RabbitMQ has a data folder");
        nodes
            .filter_map(|node| {
                let node = node.ok()?;
                let quorum = node.path().join("quorum").join(node.file_name());
                std::fs::read(quorum.join("names.dets")).ok()
            })
            .flatten()
            .collect()
    }

    async fn run(&self, arguments: &[&str]) {
        let output = tokio::process::Command::from(command(&self.folder, arguments))
            .output()
            .await
            .expect("the script can be run");
        assert!(
            output.status.success(),
            "backing {arguments:?} failed:\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

impl Turn<'_> {
    /// Stops a server cleanly and starts it on the same port.
    ///
    /// # Panics
    /// When it does not come back.
    pub async fn restart(&self, server: Server) {
        self.backing.run(&["restart", server.name()]).await;
    }

    /// Ends a server as a power cut would.
    ///
    /// # Panics
    /// When it cannot be ended.
    pub async fn kill(&self, server: Server) {
        if let Server::RabbitMq = server {
            self.backing.queues_are_registered().await;
        }
        self.backing.run(&["kill", server.name()]).await;
    }

    /// Stops RabbitMQ in its tracks (SIGSTOP): its connections stay open, and nobody answers on them.
    ///
    /// # Panics
    /// When it does not run.
    pub async fn freeze_broker(&self) -> FrozenBroker<'_> {
        self.backing.queues_are_registered().await;
        let path = self.backing.folder.join("rabbitmq/pid");
        let id = std::fs::read_to_string(path).expect("RabbitMQ runs, so there is its process id");
        let stopped = Command::new("kill").args(["-STOP", id.trim()]).status();
        assert!(
            stopped.is_ok_and(|status| status.success()),
            "RabbitMQ cannot be frozen"
        );
        FrozenBroker {
            backing: self.backing,
        }
    }

    /// Raises RabbitMQ's memory alarm: it goes on delivering and takes nothing more from who publishes.
    ///
    /// # Panics
    /// When it does not.
    pub async fn block_publishers(&self) {
        self.backing.run(&["block"]).await;
        self.alarm_is(true).await;
    }

    /// Ends that.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn unblock_publishers(&self) {
        self.backing.run(&["unblock"]).await;
        self.alarm_is(false).await;
    }

    async fn alarm_is(&self, wanted: bool) {
        let management = Management::of(&self.backing.instance());
        poll_until(
            "the broker looks at its memory",
            ALARMED_WITHIN,
            async || {
                let healthy = management.get("health/checks/alarms").await.is_ok();
                (healthy != wanted).then_some(())
            },
        )
        .await;
    }

    /// Starts whatever does not run, on the same ports.
    ///
    /// # Panics
    /// When it does not come back.
    pub async fn start(&self) {
        self.backing.run(&["start"]).await;
    }
}

impl FrozenBroker<'_> {
    /// Ends it before it could say anything.
    ///
    /// # Panics
    /// When it cannot be ended.
    pub async fn kill(self) {
        let server = Server::RabbitMq.name();
        self.backing.run(&["kill", server]).await;
    }
}

impl Drop for Backing {
    fn drop(&mut self) {
        // Nobody will read its data again, so nothing need be written back first.
        for server in [Server::Postgres, Server::RabbitMq] {
            command(&self.folder, &["kill", server.name()])
                .output()
                .ok();
        }
        let reset = command(&self.folder, &["reset"]).output();
        if !reset.is_ok_and(|output| output.status.success()) {
            eprintln!("cannot delete the instance in {}", self.folder.display());
        }
    }
}

impl Server {
    const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::RabbitMq => "rabbitmq",
        }
    }
}

/// The script that runs instances.
pub(crate) fn script() -> PathBuf {
    program::checkout().join("services/gozon/local/backing")
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(script());
    command
        .args(arguments)
        .env("GOZON_LOCAL_DIR", folder)
        .env("GOZON_RABBITMQ_MANAGEMENT", "1")
        .env_remove("GOZON_POSTGRES_PORT")
        .env_remove("GOZON_RABBITMQ_PORT");
    command
}
