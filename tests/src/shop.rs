//! The running shop: real processes of the real executable, on a database and a vhost of its own.

mod ports;
mod role;
mod rolling;
mod shared;

use std::{
    collections::{BTreeMap, HashMap},
    os::unix::process::ExitStatusExt,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use reqwest::Client;
use url::Url;

use crate::{
    BrokerUser, Entrance, Instance, Login, RawBroker, Service, TestDatabase, TestVhost,
    entrance::Addresses, http_client, logs::Logs, poll_until, process::Process, program::Version,
};

use ports::Ports;
pub use role::{Layout, Role};
pub use shared::SharedShop;

/// A process must be ready, and `migrate` done, within this time.
const READY_WITHIN: Duration = Duration::from_secs(40);

/// A process must have ended by itself this long after SIGTERM.
pub const GONE_WITHIN: Duration = Duration::from_secs(30);

/// The signal by which a process ends itself at a fault point.
const SIGABRT: i32 = 6;

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
        let mut environment = self.common_environment();
        environment.extend(Service::ALL.map(|service| self.database_url(service, Login::Owner)));
        environment.push(self.broker_url(BrokerUser::Owner));
        let log = self.logs.open("migrate");
        let mut process = Process::start(Version::This, &["migrate".to_owned()], &environment, log);
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

    /// Starts every process, without waiting for any.
    pub fn launch_all(&self) {
        for role in self.layout.roles() {
            self.launch(*role);
        }
    }

    /// A new front door. Its connections belong to the test that made it.
    #[must_use]
    pub fn entrance(&self) -> Entrance {
        let url = |role| -> Url {
            format!("http://127.0.0.1:{}", self.ports[&role].public)
                .parse()
                .expect("an address and a port make a URL")
        };
        Entrance::new(match self.layout {
            Layout::Together => Addresses {
                order: vec![url(Role::All)],
                payment: url(Role::All),
                web: url(Role::All),
            },
            Layout::Separately | Layout::InPairs => Addresses {
                order: vec![url(Role::Order(1)), url(Role::Order(2))],
                payment: url(Role::Payment(1)),
                web: url(Role::Web),
            },
        })
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

    /// Waits until every process says that it is ready.
    ///
    /// # Panics
    /// When one does not become ready.
    pub async fn all_ready(&self) {
        let http = http_client();
        for role in self.layout.roles() {
            self.ready(*role, &http).await;
        }
    }

    /// Waits until the relays of each database have shared its lanes out evenly, as their metrics tell. While shares
    /// change, a lane can be without an owner for a second; a test that measures less must not begin there.
    ///
    /// # Panics
    /// When they do not.
    pub async fn lanes_shared(&self) {
        poll_until("the relays share their lanes", READY_WITHIN, async || {
            let mut shares: BTreeMap<String, Vec<u32>> = BTreeMap::new();
            for role in self.layout.roles() {
                let text = self.metrics(*role).await;
                for (database, lanes) in text.lines().filter_map(lanes_owned) {
                    shares.entry(database).or_default().push(lanes);
                }
            }
            let even = |lanes: &Vec<u32>| {
                lanes.iter().sum::<u32>() == 64 && lanes.iter().all(|share| *share == lanes[0])
            };
            (shares.len() == 2 && shares.values().all(even)).then_some(())
        })
        .await;
    }

    /// What a process tells Prometheus; empty when it does not answer.
    pub async fn metrics(&self, role: Role) -> String {
        let url = self.admin_url(role).join("/metrics");
        let url = url.expect("a path makes a URL");
        match http_client().get(url).send().await {
            Ok(response) => response.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Whether a process answers, and answers that it is ready.
    pub async fn is_ready(&self, role: Role) -> bool {
        says_ready(&self.readiness_url(role), &http_client()).await
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

    fn processes(&self) -> MutexGuard<'_, BTreeMap<Role, Process>> {
        let processes = self.processes.lock();
        processes.expect("nothing panics while it holds the processes")
    }

    async fn ready(&self, role: Role, http: &Client) {
        let url = self.readiness_url(role);
        let what = format!("{role:?} is ready");
        poll_until(&what, READY_WITHIN, async || {
            assert!(
                self.processes
                    .lock()
                    .expect("nothing panics while it holds the processes")
                    .get_mut(&role)
                    .is_some_and(Process::runs),
                "{role:?} ended at its start\n{}",
                self.logs.tail(&role.name())
            );
            says_ready(&url, http).await.then_some(())
        })
        .await;
    }

    fn readiness_url(&self, role: Role) -> Url {
        let url = self.admin_url(role).join("/readyz");
        url.expect("a path makes a URL")
    }

    fn with(&self, role: Role, act: impl FnOnce(&Process)) {
        let processes = self.processes();
        let process = processes.get(&role);
        act(process.unwrap_or_else(|| panic!("{role:?} does not run")));
    }

    fn take(&self, role: Role) -> Process {
        self.processes
            .lock()
            .expect("nothing panics while it holds the processes")
            .remove(&role)
            .unwrap_or_else(|| panic!("{role:?} does not run"))
    }

    /// What a process may know: a role's own credentials and no others.
    fn credentials(&self, role: Role) -> Vec<(String, String)> {
        let service = |service, broker| {
            vec![
                self.database_url(service, Login::Api),
                self.database_url(service, Login::Writer),
                self.broker_url(broker),
            ]
        };
        let relay = |service| {
            vec![
                self.database_url(service, Login::Relay),
                self.broker_url(BrokerUser::Relay),
            ]
        };
        match role {
            Role::Order(_) => service(Service::Orders, BrokerUser::Service),
            Role::Payment(_) => service(Service::Payments, BrokerUser::Service),
            Role::OrdersRelay(_) => relay(Service::Orders),
            Role::PaymentsRelay(_) => relay(Service::Payments),
            Role::Web => Vec::new(),
            Role::All => [
                service(Service::Orders, BrokerUser::Service),
                service(Service::Payments, BrokerUser::Service),
                relay(Service::Orders),
                relay(Service::Payments),
            ]
            .concat(),
        }
    }

    fn common_environment(&self) -> Vec<(String, String)> {
        let mut environment = self.secrets.clone();
        environment.extend(self.settings.iter().cloned());
        environment.push(("GOZON_PROFILE".to_owned(), "demo".to_owned()));
        environment
    }

    pub(crate) fn database_url(&self, service: Service, login: Login) -> (String, String) {
        let name = format!("GOZON_{}_{}_URL", service.name(), login.name());
        (
            name.to_uppercase(),
            self.database(service).url(login).to_owned(),
        )
    }

    fn broker_url(&self, user: BrokerUser) -> (String, String) {
        let name = format!("GOZON_AMQP_{}_URL", user.name());
        (name.to_uppercase(), self.vhost.url(user).to_owned())
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

/// Database and number of lanes from a line of metrics.
fn lanes_owned(line: &str) -> Option<(String, u32)> {
    let (labels, value) = line
        .strip_prefix("gozon_relay_lanes_owned{")?
        .split_once("} ")?;
    let database = labels.split("database=\"").nth(1)?.split('"').next()?;
    Some((database.to_owned(), value.parse().ok()?))
}

async fn says_ready(url: &Url, http: &Client) -> bool {
    let response = http.get(url.clone()).send().await;
    response.is_ok_and(|response| response.status().is_success())
}

impl Drop for Shop {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the logs of the shop end with\n{}", self.log_tails());
        }
    }
}
