//! A process that runs until it is stopped: its ports, metrics, readiness and lifecycle, to which the roles add parts.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use axum::Router;
use chassis::{
    BoxError, Lifecycle, Profile, Readiness, Stage,
    admin::{self, Admin},
    http,
    pool::{self, PoolSettings},
    serve::serve,
    telemetry::{LogFilter, LogMetrics, Sampling, SpanMetrics},
    trace::TraceOptions,
};
use secrecy::SecretString;
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    announce::{self, Addresses},
    config::ServeConfig,
    gate::Gate,
    listen::{self, ADMIN_PORT, PUBLIC_PORT},
    metrics::{Metrics, databases},
    signals::Signals,
};

/// How long admin requests in hand may take at the end.
const ADMIN_DRAIN: Duration = Duration::from_secs(1);

/// What every command is given.
#[derive(Debug)]
pub(crate) struct Base {
    pub(crate) profile: Profile,
    pub(crate) log_filter: LogFilter,
    pub(crate) sampling: Sampling,
    pub(crate) log_metrics: LogMetrics,
    pub(crate) span_metrics: SpanMetrics,
}

/// A process under construction: parts add tasks, checks and metrics, then it runs.
pub(crate) struct Process {
    role: &'static str,
    config: ServeConfig,
    log_filter: LogFilter,
    signals: Signals,
    admin: TcpListener,
    lifecycle: Lifecycle,
    readiness: Readiness,
    watched: Vec<&'static str>,
    sampling: Sampling,
    pub(crate) metrics: Metrics,
}

impl Process {
    /// Opens the admin port; nothing runs yet.
    pub(crate) async fn start(
        role: &'static str,
        config: ServeConfig,
        base: Base,
    ) -> anyhow::Result<Self> {
        let signals = Signals::listen().context("signals cannot be handled")?;
        let admin = listen::bind((config.bind, config.admin_port).into(), ADMIN_PORT).await?;
        let lifecycle = Lifecycle::new(config.grace);
        let metrics = Metrics::register(&base);
        tracing::info!(role, profile = %base.profile, version = env!("CARGO_PKG_VERSION"), "starting");
        Ok(Self {
            role,
            config,
            log_filter: base.log_filter,
            sampling: base.sampling,
            signals,
            admin,
            readiness: Readiness::new(lifecycle.stopping()),
            lifecycle,
            metrics,
            watched: Vec::new(),
        })
    }

    pub(crate) fn lifecycle(&self) -> &Lifecycle {
        &self.lifecycle
    }

    /// A pool that is closed when all who use it have stopped.
    pub(crate) fn pool(
        &self,
        url: &SecretString,
        settings: &PoolSettings,
    ) -> anyhow::Result<PgPool> {
        let pool =
            pool::connect(url, settings).with_context(|| settings.application_name.clone())?;
        self.metrics.pools.show(pool.clone());
        let (closing, stop) = (pool.clone(), self.lifecycle.token(Stage::Close));
        self.lifecycle.spawn(Stage::Close, "pool", async move {
            stop.cancelled().await;
            closing.close().await;
            Ok(())
        });
        Ok(pool)
    }

    /// A gate that opens when `schema` is there, and without which the process is not ready.
    pub(crate) fn gate(
        &mut self,
        name: &'static str,
        schema: impl Future<Output = ()> + Send + 'static,
    ) -> Gate {
        let (gate, stop) = (Gate::default(), self.lifecycle.token(Stage::Support));
        let opening = gate.clone();
        self.lifecycle.spawn(Stage::Support, name, async move {
            if stop.run_until_cancelled(schema).await.is_some() {
                opening.open();
                stop.cancelled().await;
            }
            Ok(())
        });
        let asked = gate.clone();
        self.readiness
            .check(name, move || std::future::ready(asked.check()));
        gate
    }

    /// The process is ready only while this database answers, and its metrics say whether it does. The question has a
    /// connection of its own: a pool that is busy is no reason to send the work elsewhere.
    pub(crate) fn check_database(
        &mut self,
        name: &'static str,
        database: &'static str,
        url: &SecretString,
    ) -> anyhow::Result<()> {
        let settings = PoolSettings {
            max_connections: 1,
            ..PoolSettings::for_api("gozon readiness")
        };
        let pool = self.pool(url, &settings)?;
        // Of two parts that ask for the same database under different logins, the first speaks for the process.
        if !self.watched.contains(&database) {
            self.watched.push(database);
            let (up, pool) = (self.metrics.databases.clone(), pool.clone());
            let stop = self.lifecycle.token(Stage::Support);
            self.lifecycle
                .spawn(Stage::Support, "database watch", async move {
                    up.watch(database, pool, &stop).await;
                    Ok(())
                });
        }
        self.readiness.check(name, move || {
            let pool = pool.clone();
            async move { Ok(databases::ask(&pool).await?) }
        });
        Ok(())
    }

    /// The process is ready only while this says so.
    pub(crate) fn check<F>(
        &mut self,
        name: &'static str,
        ask: impl Fn() -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        self.readiness.check(name, ask);
    }

    /// Runs a task from the opening of its gate to its stage's stop.
    pub(crate) fn spawn_behind<T>(
        &self,
        gate: &Gate,
        stage: Stage,
        name: &'static str,
        task: impl FnOnce(CancellationToken) -> T + Send + 'static,
    ) where
        T: Future<Output = ()> + Send,
    {
        let (gate, stop) = (gate.clone(), self.lifecycle.token(stage));
        self.lifecycle.spawn(stage, name, async move {
            if stop.run_until_cancelled(gate.opened()).await.is_some() {
                task(stop).await;
            }
            Ok(())
        });
    }

    /// The layers that every service's routes have, with the name of the service for its traces.
    pub(crate) fn finish(&self, service: &'static str, router: impl Into<Router>) -> Router {
        let options = TraceOptions {
            service,
            sampling: self.sampling,
        };
        http::finish(router.into(), &self.metrics.http, options)
    }

    /// Opens the public port; nothing is answered before [`Process::run`].
    pub(crate) async fn open_public_port(&self) -> anyhow::Result<TcpListener> {
        listen::bind((self.config.bind, self.config.port).into(), PUBLIC_PORT).await
    }

    /// Runs until a signal, or until a task ends by itself. The public routes are finished. A process with nothing public serves its admin port only.
    pub(crate) async fn run(self, public: Option<(TcpListener, Router)>) -> anyhow::Result<()> {
        let Self {
            role,
            config,
            log_filter,
            mut signals,
            admin,
            lifecycle,
            readiness,
            metrics,
            ..
        } = self;
        let readiness = Arc::new(readiness);
        let addresses = Addresses {
            public: public
                .as_ref()
                .map(|(listener, _)| listener.local_addr())
                .transpose()?,
            admin: admin.local_addr()?,
        };
        if let Some((listener, router)) = public {
            // Half of the grace period for requests in hand, the other half for everything after them.
            let drain = config.grace / 2;
            spawn_listener(
                &lifecycle,
                Stage::Serve,
                "public listener",
                listener,
                router,
                drain,
            );
        }
        let router = admin::router(Admin {
            readiness: Arc::clone(&readiness),
            registry: Arc::new(metrics.registry),
            log_filter,
        });
        spawn_listener(
            &lifecycle,
            Stage::Admin,
            "admin listener",
            admin,
            router,
            ADMIN_DRAIN,
        );
        spawn_announcement(&lifecycle, role, readiness, addresses);
        lifecycle.run(async || signals.next().await).await?;
        Ok(())
    }
}

fn spawn_listener(
    lifecycle: &Lifecycle,
    stage: Stage,
    name: &'static str,
    listener: TcpListener,
    router: Router,
    drain: Duration,
) {
    let stop = lifecycle.token(stage);
    lifecycle.spawn(stage, name, async move {
        Ok(serve(listener, router, stop, drain).await?)
    });
}

fn spawn_announcement(
    lifecycle: &Lifecycle,
    role: &'static str,
    readiness: Arc<Readiness>,
    addresses: Addresses,
) {
    let stop = lifecycle.token(Stage::Serve);
    lifecycle.spawn(Stage::Serve, "announcement", async move {
        let announced = announce::when_ready(role, &readiness, addresses);
        if stop.run_until_cancelled(announced).await.is_some() {
            stop.cancelled().await;
        }
        Ok(())
    });
}
