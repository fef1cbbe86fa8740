//! The controllers: each looks at resources, each of them alone, compares what is with what is to be, and takes a step. What they
//! keep in memory may be forgotten in a crash: it is seen again, or decided again, a little later.

mod backoff;
mod error;
mod event;
mod outbox_relay;
mod redrive;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use chassis::trace::TraceOptions;
use futures_util::StreamExt;
use kube::{
    Api, Client, Resource, ResourceExt,
    api::PatchParams,
    runtime::{
        Controller, WatchStreamExt,
        controller::{Action, Config, Error as RunError},
        predicates, reflector,
        utils::PredicateConfig,
        watcher,
    },
};
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use self::backoff::Backoffs;
pub(crate) use self::error::{Error, within};
use crate::{metrics::Metrics, ops::Ops};

/// Under which name this operator writes fields.
const MANAGER: &str = "gozon-operator";

/// How many resources of a kind are looked at at once.
const CONCURRENCY: u16 = 4;

/// When to look again at a resource that somebody else wrote between a look and a write.
const SOON: Duration = Duration::from_secs(1);

/// How long the controllers may take to finish what they have in hand.
const FINISH: Duration = Duration::from_secs(8);

/// What the controllers share.
#[derive(Debug, Clone)]
pub(crate) struct Common {
    pub(crate) ops: Ops,
    pub(crate) metrics: Metrics,
    pub(crate) trace: TraceOptions,
    /// Who reports events: the name of this Pod.
    pub(crate) identity: String,
}

/// Runs the controllers until stopped, and lets them finish what they have in hand.
pub(crate) async fn run(client: Client, common: Common, stop: CancellationToken) {
    let relays = outbox_relay::Relays::new(client.clone(), common.clone());
    let redrives = redrive::Redrives::new(client.clone(), common.clone());
    let both = async {
        tokio::join!(
            control(client.clone(), Arc::new(relays), stop.clone()),
            control(client.clone(), Arc::new(redrives), stop.clone()),
        );
    };
    let overdue = async {
        stop.cancelled().await;
        tokio::time::sleep(FINISH).await;
    };
    tokio::select! {
        () = both => {}
        () = overdue => tracing::warn!("a reconcile did not end in time, and is dropped"),
    }
}

/// Reconciles resources of one kind.
pub(crate) trait Reconcile: Send + Sync + 'static {
    /// The kind.
    type Kind: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + DeserializeOwned
        + Send
        + Sync
        + 'static;
    /// Its name.
    const NAME: &'static str;

    fn common(&self) -> &Common;
    fn backoffs(&self) -> &Backoffs;

    /// Takes one step with the resource as it is now, and says when to look again.
    fn step(&self, name: &str) -> impl Future<Output = Result<Duration, Error>> + Send;

    /// The resource is gone.
    fn forget(&self, name: &str);
}

async fn control<R: Reconcile>(client: Client, reconcile: Arc<R>, stop: CancellationToken) {
    let api: Api<R::Kind> = Api::default_namespaced(client);
    let (reader, writer) = reflector::store();
    // A status that is written changes the resource, too: only what people change begins a reconcile of its own.
    let changes = watcher(api, watcher::Config::default())
        .default_backoff()
        .reflect(writer)
        .applied_objects()
        .predicate_filter(predicates::generation, PredicateConfig::default());
    Controller::for_stream(changes, reader)
        .with_config(Config::default().concurrency(CONCURRENCY))
        .graceful_shutdown_on(stop.cancelled_owned())
        .run(look::<R>, back_off::<R>, reconcile.clone())
        .for_each(|outcome| {
            if let Err(error) = outcome {
                note(&*reconcile, &error);
            }
            std::future::ready(())
        })
        .await;
}

/// Takes note of what went wrong around a reconcile.
fn note<R: Reconcile, Q: std::error::Error + 'static>(reconcile: &R, error: &RunError<Error, Q>) {
    match error {
        // It was told where it happened, with its back-off.
        RunError::ReconcilerFailed(..) => {}
        // It was removed between a look and the next, so no reconcile will say that it is gone.
        RunError::ObjectNotFound(resource) => forget(reconcile, &resource.name),
        error => {
            tracing::warn!(kind = R::NAME, error = %chassis::chain(error), "resources cannot be watched");
        }
    }
}

fn forget<R: Reconcile>(reconcile: &R, name: &str) {
    reconcile.backoffs().forget(name);
    reconcile.forget(name);
}

/// One reconcile: in a trace of its own, measured, and counted.
async fn look<R: Reconcile>(resource: Arc<R::Kind>, reconcile: Arc<R>) -> Result<Action, Error> {
    let common = reconcile.common();
    let name = resource.name_any();
    if let Some(late) = reconcile.backoffs().begin(&name) {
        common.metrics.waited(R::NAME, late);
    }
    let begun = Instant::now();
    let (span, trace) = chassis::trace::begin_task(common.trace, "reconcile", R::NAME);
    let outcome = reconcile.step(&name).instrument(span).await;
    common
        .metrics
        .reconciled(R::NAME, begun.elapsed(), Some(trace));
    match outcome {
        Ok(again) => {
            reconcile.backoffs().succeeded(&name, again);
            Ok(Action::requeue(again))
        }
        Err(error) if error.is_gone() => {
            forget(&*reconcile, &name);
            Ok(Action::await_change())
        }
        // Somebody else was faster, which is no failure: what they wrote is looked at.
        Err(error) if error.is_conflict() => {
            reconcile.backoffs().succeeded(&name, SOON);
            Ok(Action::requeue(SOON))
        }
        Err(error) => Err(error),
    }
}

/// What failed is tried again, ever later, for each resource by itself.
#[expect(clippy::needless_pass_by_value, reason = "a controller calls it so")]
fn back_off<R: Reconcile>(resource: Arc<R::Kind>, error: &Error, reconcile: Arc<R>) -> Action {
    let name = resource.name_any();
    let pause = reconcile.backoffs().failed(&name);
    reconcile.common().metrics.failed(R::NAME, error.class());
    tracing::warn!(
        kind = R::NAME,
        name,
        error = %chassis::chain(error),
        retry_seconds = pause.as_secs(),
        "a reconcile failed"
    );
    Action::requeue(pause)
}

/// How fields are written: as their one owner, whoever wrote them before.
fn applied() -> PatchParams {
    PatchParams::apply(MANAGER).force()
}
