//! The running shop: real processes of the real executable, on a database and a vhost of its own.

mod environment;
mod ports;
mod processes;
mod readiness;
mod role;
mod rolling;
mod shared;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Mutex,
    time::Duration,
};

use url::Url;

use crate::{
    BrokerUser, Entrance, Instance, Login, RawBroker, Service, TestDatabase, TestVhost,
    entrance::Addresses, logs::Logs, poll_until, process::Process, program::Version,
};

use ports::Ports;
pub(crate) use ports::free_port;
pub use role::{Layout, Role};
pub use shared::SharedShop;

/// A process must be ready, and `migrate` done, within this time.
const READY_WITHIN: Duration = Duration::from_secs(40);

/// A process must have ended by itself this long after SIGTERM.
pub const GONE_WITHIN: Duration = Duration::from_secs(30);

/// What every process of one instance shares.
const SECRETS: [&str; 2] = ["GOZON_SESSION_KEYS_FILE", "GOZON_OPERATOR_TOKEN_FILE"];

/// A shop. Its processes, databases and vhost end with it.
#[derive(Debug)]
pub struct Shop {
    // Dropped in this order: nobody uses a database any more when it goes.
    processes: Mutex<BTreeMap<Role, Process>>,
    /// Which version a process is of, if not of this one.
    versions: Mutex<BTreeMap<Role, Version>>,
    layout: Layout,
    ports: HashMap<Role, Ports>,
    orders: TestDatabase,
    payments: TestDatabase,
    vhost: TestVhost,
    secrets: Vec<(String, String)>,
    settings: Vec<(String, String)>,
    logs: Logs,
}

impl Shop {
    /// Everything in one process, on the instance of this run.
    pub async fn start_all() -> Self {
        Self::start(&Instance::OfThisRun, Layout::Together).await
    }

    /// A process per role, on the instance of this run.
    pub async fn start_separately() -> Self {
        Self::start(&Instance::OfThisRun, Layout::Separately).await
    }

    /// Creates databases and vhost, runs `gozon migrate`, starts the processes and waits until they are ready.
    ///
    /// # Panics
    /// When something does not start.
    pub async fn start(instance: &Instance, layout: Layout) -> Self {
        Self::start_with(instance, layout, &[]).await
    }

    /// The same with settings for every process, as variables of its environment.
    ///
    /// # Panics
    /// When something does not start.
    pub async fn start_with(
        instance: &Instance,
        layout: Layout,
        settings: &[(&str, &str)],
    ) -> Self {
        let mut shop = Self::prepare(instance, layout).await;
        let settings = settings.iter();
        shop.settings = settings
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        shop.migrate().await;
        shop.launch_all();
        shop.all_ready().await;
        shop
    }

    /// Creates databases and vhost, empty, and starts nothing yet.
    pub async fn prepare(instance: &Instance, layout: Layout) -> Self {
        let (orders, payments, vhost) = tokio::join!(
            TestDatabase::create_on(instance, Service::Orders),
            TestDatabase::create_on(instance, Service::Payments),
            TestVhost::create_on(instance),
        );
        Self {
            processes: Mutex::default(),
            versions: Mutex::default(),
            layout,
            ports: layout
                .roles()
                .iter()
                .map(|&role| (role, Ports::free()))
                .collect(),
            orders,
            payments,
            vhost,
            secrets: SECRETS
                .map(|name| (name.to_owned(), instance.value(name)))
                .to_vec(),
            settings: Vec::new(),
            logs: Logs::of_running_test(),
        }
    }

    /// Runs `gozon migrate` with the owners' credentials.
    ///
    /// # Panics
    /// When it fails.
    pub async fn migrate(&self) {
        self.migrate_to(Version::This).await;
    }

    /// The same to the schema of a version.
    ///
    /// # Panics
    /// When it fails.
    pub async fn migrate_to(&self, version: Version) {
        let mut environment = self.common_environment();
        environment.extend(Service::ALL.map(|service| self.database_url(service, Login::Owner)));
        environment.push(self.broker_url(BrokerUser::Owner));
        let log = self.logs.open("migrate");
        let mut process = Process::start(version, &["migrate".to_owned()], &environment, log);
        let status = poll_until("gozon migrate ends", READY_WITHIN, async || {
            process.status()
        })
        .await;
        assert!(
            status.success(),
            "gozon migrate ended with {status}\n{}",
            self.logs.tail("migrate")
        );
    }

    /// A new front door. Its connections belong to the test that made it.
    #[must_use]
    pub fn entrance(&self) -> Entrance {
        Entrance::new(self.addresses())
    }

    /// Where the services listen.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        let url = |role| -> Url {
            format!("http://127.0.0.1:{}", self.ports[&role].public)
                .parse()
                .expect("an address and a port make a URL")
        };
        let of = |wanted: fn(&Role) -> bool| -> Vec<Url> {
            let roles = self.layout.roles().iter().copied();
            roles.filter(wanted).map(url).collect()
        };
        if self.layout == Layout::Together {
            return Addresses {
                order: vec![url(Role::All)],
                payment: url(Role::All),
                web: url(Role::All),
            };
        }
        Addresses {
            order: of(|role| matches!(role, Role::Order(_))),
            payment: url(Role::Payment(1)),
            web: url(Role::Web),
        }
    }

    /// A service's database.
    #[must_use]
    pub const fn database(&self, service: Service) -> &TestDatabase {
        match service {
            Service::Orders => &self.orders,
            Service::Payments => &self.payments,
        }
    }

    /// The path of the file that holds its operators' token.
    ///
    /// # Panics
    /// Never: every shop has one.
    #[must_use]
    pub fn operator_token_file(&self) -> &str {
        let secret = self.secrets.iter().find(|(name, _)| name == SECRETS[1]);
        &secret.expect("it was put there at the start").1
    }

    /// A plain AMQP client in its vhost, with the relay's rights.
    pub async fn raw_broker(&self) -> RawBroker {
        self.vhost.raw().await
    }

    /// The vhost.
    #[must_use]
    pub const fn vhost(&self) -> &TestVhost {
        &self.vhost
    }

    /// The admin address of a process: `/livez`, `/readyz`, `/metrics`.
    ///
    /// # Panics
    /// When the shop has no such process.
    #[must_use]
    pub fn admin_url(&self, role: Role) -> Url {
        format!("http://127.0.0.1:{}", self.ports[&role].admin)
            .parse()
            .expect("an address and a port make a URL")
    }

    /// All that a process wrote so far.
    #[must_use]
    pub fn log(&self, role: Role) -> String {
        self.logs.read(&role.name())
    }

    /// The end of every process's log.
    fn log_tails(&self) -> String {
        let tails = self
            .layout
            .roles()
            .iter()
            .map(|role| self.logs.tail(&role.name()));
        tails.collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the logs of the shop end with\n{}", self.log_tails());
        }
    }
}
