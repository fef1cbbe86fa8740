//! The life of a process: tasks that run until it stops, and a stop that takes them in order and in bounded time.
//!
//! A task that ends by itself stops the process. Stopping goes stage by stage, each waiting for the one before it,
//! so that what produces work is gone before what finishes it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::FutureExt;
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{error, info, warn};

use crate::{BoxError, chain};

/// When a task is told to stop: the stages' order is the order of the stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Listeners: no new requests; those in hand are answered.
    Serve,
    /// Consumers: no new deliveries; those in hand are settled.
    Consume,
    /// Relays: the batch in hand is published.
    Relay,
    /// What the stages before lean on: doorbells, tails.
    Support,
    /// Pools are closed.
    Close,
    /// The admin server, last, so that the stop itself can be watched.
    Admin,
}

impl Stage {
    const ALL: [Self; 6] = [
        Self::Serve,
        Self::Consume,
        Self::Relay,
        Self::Support,
        Self::Close,
        Self::Admin,
    ];
}

/// The tasks of a process and their stop.
#[derive(Debug)]
pub struct Lifecycle {
    grace: Duration,
    stopping: CancellationToken,
    stages: [(CancellationToken, TaskTracker); Stage::ALL.len()],
    running: Running,
    ended_sender: mpsc::UnboundedSender<Ended>,
    ended: mpsc::UnboundedReceiver<Ended>,
}

/// Names of the tasks that have not ended yet.
type Running = Arc<Mutex<Vec<&'static str>>>;

#[derive(Debug)]
struct Ended {
    name: &'static str,
    result: Result<(), BoxError>,
}

/// Why a process ended otherwise than asked and in order.
#[derive(Debug, thiserror::Error)]
pub enum LifecycleError {
    /// A task failed.
    #[error("{0} failed")]
    Failed(&'static str, #[source] BoxError),
    /// A task that should run until the stop came to its end.
    #[error("{0} ended by itself")]
    Ended(&'static str),
    /// The grace period is over.
    #[error("not stopped within the grace period: {}", .0.join(", "))]
    GraceExceeded(Vec<&'static str>),
    /// A second signal came.
    #[error("ended at once by a second signal, without waiting for: {}", .0.join(", "))]
    Hurried(Vec<&'static str>),
}

impl Lifecycle {
    /// A process that stops within `grace`.
    #[must_use]
    pub fn new(grace: Duration) -> Self {
        let (ended_sender, ended) = mpsc::unbounded_channel();
        Self {
            grace,
            stopping: CancellationToken::new(),
            stages: std::array::from_fn(|_| (CancellationToken::new(), TaskTracker::new())),
            running: Running::default(),
            ended_sender,
            ended,
        }
    }

    /// Cancelled as soon as the stop begins, before any stage.
    #[must_use]
    pub fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// Cancelled when this stage's turn to stop has come.
    #[must_use]
    pub fn token(&self, stage: Stage) -> CancellationToken {
        self.stages[stage as usize].0.clone()
    }

    /// Work this stage's stop also waits for, though it may end at any time: a socket, say. It ends by itself, soon
    /// after [`Lifecycle::token`].
    #[must_use]
    pub fn tracker(&self, stage: Stage) -> TaskTracker {
        self.stages[stage as usize].1.clone()
    }

    /// Runs a task until its stage's stop. If it ends before, or panics, the process stops.
    pub fn spawn(
        &self,
        stage: Stage,
        name: &'static str,
        task: impl Future<Output = Result<(), BoxError>> + Send + 'static,
    ) {
        let ended = self.ended_sender.clone();
        let running = Arc::clone(&self.running);
        lock(&running).push(name);
        self.stages[stage as usize].1.spawn(async move {
            let result = std::panic::AssertUnwindSafe(task)
                .catch_unwind()
                .await
                .unwrap_or_else(|_| Err("it panicked".into()));
            let mut running = lock(&running);
            if let Some(index) = running.iter().position(|other| *other == name) {
                running.swap_remove(index);
            }
            // Nobody listens only when the process is ending anyway.
            let _ = ended.send(Ended { name, result });
        });
    }

    /// Runs until `signal` or until a task ends by itself, then stops everything; a second `signal` or the end of the
    /// grace period ends it at once.
    pub async fn run(mut self, mut signal: impl AsyncFnMut()) -> Result<(), LifecycleError> {
        let ended_early = tokio::select! {
            () = signal() => None,
            ended = self.ended.recv() => ended,
        };
        let cause = ended_early.map_or(Ok(()), |ended| {
            let error = ended.into_early_end();
            error!(error = %chain(&error), "stopping, because a task has ended");
            Err(error)
        });
        info!(grace_seconds = self.grace.as_secs(), "stopping");
        self.stopping.cancel();
        let stopped = tokio::select! {
            () = stop_in_order(&self.stages) => Ok(()),
            () = signal() => Err(LifecycleError::Hurried(self.names())),
            () = tokio::time::sleep(self.grace) => Err(LifecycleError::GraceExceeded(self.names())),
        };
        let failed = self.first_failure();
        match &stopped {
            Ok(()) => info!("stopped"),
            Err(error) => warn!("{error}"),
        }
        cause.and(stopped).and(failed)
    }

    fn names(&self) -> Vec<&'static str> {
        let mut names = lock(&self.running).clone();
        names.sort_unstable();
        names
    }

    /// What failed while stopping; each failure is logged.
    fn first_failure(&mut self) -> Result<(), LifecycleError> {
        let mut first = Ok(());
        while let Ok(Ended { name, result }) = self.ended.try_recv() {
            if let Err(source) = result {
                let error = LifecycleError::Failed(name, source);
                error!(error = %chain(&error), "a task failed while stopping");
                first = first.and(Err(error));
            }
        }
        first
    }
}

impl Ended {
    fn into_early_end(self) -> LifecycleError {
        match self.result {
            Ok(()) => LifecycleError::Ended(self.name),
            Err(source) => LifecycleError::Failed(self.name, source),
        }
    }
}

async fn stop_in_order(stages: &[(CancellationToken, TaskTracker)]) {
    for (token, tasks) in stages {
        token.cancel();
        tasks.close();
        tasks.wait().await;
    }
}

fn lock(running: &Running) -> std::sync::MutexGuard<'_, Vec<&'static str>> {
    // A list of names is whole at any moment, even if a holder panicked.
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
