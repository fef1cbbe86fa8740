//! Who acts: of several operators the one that holds a Lease.
//!
//! Nobody's clock is compared with anybody's: a lease has ended once this process has seen it unchanged for as long as it
//! lasts. Every write names the version it was decided on, so of two that want it one gets it. Who cannot renew it stops
//! acting before anybody else may begin, for it counts from before it asked, and they from after they saw.

mod claim;
#[cfg(test)]
mod tests;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
    jiff::Timestamp,
};
use kube::{Api, Client, api::PostParams};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::claim::{Claim, Sight, claim};
use crate::{
    controller::{Error, within},
    metrics::Metrics,
};

/// How long a lease lasts.
pub(crate) const LASTS: Duration = Duration::from_secs(10);

/// How often it is renewed, or looked at by those who want it. A killed holder is succeeded after both together.
pub(crate) const EVERY: Duration = Duration::from_secs(2);

/// After how long without a renewal its holder stops acting: two looks before others may begin.
const GIVE_UP: Duration = Duration::from_secs(6);

/// When it is looked at again after somebody else wrote it between a look and a write: who holds it now is not known.
const SOON: Duration = Duration::from_millis(200);

/// After how long without an answer of the API server this operator is not ready.
const SILENT_MAX: Duration = Duration::from_secs(20);

/// A lease that this process may hold.
#[derive(Debug)]
pub(crate) struct Leadership {
    api: Api<Lease>,
    name: String,
    identity: String,
    sight: Option<Sight>,
    contact: Contact,
    metrics: Metrics,
}

/// How a look at the lease ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    /// This process holds it, for as long as it lasts from this instant: that before the request which wrote it, for others count
    /// from when it was written, and how long the answer took is their gain.
    Held(Instant),
    /// Another holds it.
    Other,
    /// Somebody wrote it between the look and the write.
    Contended,
}

/// When the API server last answered; clones are of the same one.
#[derive(Debug, Clone, Default)]
pub struct Contact(Arc<Mutex<Option<Instant>>>);

/// The API server has not answered lately.
#[derive(Debug, thiserror::Error)]
#[error("the API server has not answered for {} s", SILENT_MAX.as_secs())]
pub struct NoContact;

impl Contact {
    /// Whether it has answered lately.
    pub fn check(&self) -> Result<(), NoContact> {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = last.is_some_and(|last| last.elapsed() < SILENT_MAX);
        if is_recent { Ok(()) } else { Err(NoContact) }
    }

    fn seen(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

impl Leadership {
    pub(crate) fn new(
        client: Client,
        (name, identity): (String, String),
        contact: Contact,
        metrics: Metrics,
    ) -> Self {
        Self {
            api: Api::default_namespaced(client),
            name,
            identity,
            sight: None,
            contact,
            metrics,
        }
    }

    /// Waits until this process holds the lease, and says since when.
    pub(crate) async fn acquire(&mut self) -> Instant {
        loop {
            match self.try_hold().await {
                // An answer that came late says nothing about now: others may be about to begin.
                Ok(Hold::Held(since)) if since.elapsed() < GIVE_UP => {
                    tracing::info!(lease = self.name, "this operator acts from now on");
                    self.metrics.leads.set(1);
                    return since;
                }
                Ok(_) => {}
                Err(error) => self.tell(&error),
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Renews it until that fails for too long.
    pub(crate) async fn keep(&mut self, mut since: Instant) {
        let mut pause = EVERY;
        loop {
            let look = async {
                tokio::time::sleep(pause).await;
                self.try_hold().await
            };
            let outcome = tokio::time::timeout_at(since + GIVE_UP, look).await;
            pause = EVERY;
            match outcome {
                Ok(Ok(Hold::Held(renewed))) => since = renewed,
                Ok(Ok(Hold::Contended)) => pause = SOON,
                Ok(Err(error)) => self.tell(&error),
                Ok(Ok(Hold::Other)) | Err(_) => break,
            }
        }
        self.metrics.leads.set(0);
        tracing::warn!(
            lease = self.name,
            "the lease is lost: this operator acts no more"
        );
    }

    /// Gives it back, so that another need not wait for its end.
    pub(crate) async fn release(&mut self) {
        self.metrics.leads.set(0);
        if let Err(error) = self.try_release().await {
            self.tell(&error);
        }
    }

    /// Holds it until stopped: `work` runs while it is held.
    pub(crate) async fn while_held<F: Future<Output = ()>>(
        &mut self,
        stop: &CancellationToken,
        mut work: impl FnMut(CancellationToken) -> F,
    ) {
        while let Some(since) = stop.run_until_cancelled(self.acquire()).await {
            let lost = stop.child_token();
            tokio::select! {
                // To be stopped is to finish what is in hand; to lose the lease is to drop it.
                () = work(lost.clone()) => {}
                () = self.keep(since) => {}
            }
            if stop.is_cancelled() {
                break;
            }
        }
        self.release().await;
    }

    async fn try_hold(&mut self) -> Result<Hold, Error> {
        // The chart has made it, so that no operator has to be allowed to make any.
        let lease = self.ask(self.api.get(&self.name)).await?;
        let sight = Sight::of(&lease, self.sight.take(), Instant::now());
        let claim = claim(&sight, &self.identity, LASTS, Instant::now());
        self.sight = Some(sight);
        match claim {
            Claim::Wait => Ok(Hold::Other),
            Claim::Take | Claim::Renew => {
                let is_new = claim == Claim::Take;
                let next = self.written(lease, is_new);
                let params = PostParams::default();
                let since = Instant::now();
                let outcome = self.ask(self.api.replace(&self.name, &params, &next)).await;
                match outcome {
                    Ok(_) => Ok(Hold::Held(since)),
                    Err(error) if error.is_conflict() => Ok(Hold::Contended),
                    Err(error) => Err(error),
                }
            }
        }
    }

    /// Asks the API server. Whatever it answers, it is there.
    async fn ask(
        &self,
        call: impl Future<Output = Result<Lease, kube::Error>>,
    ) -> Result<Lease, Error> {
        let outcome = within(call).await;
        if matches!(outcome, Ok(_) | Err(Error::Api(_))) {
            self.contact.seen();
        }
        outcome
    }

    async fn try_release(&mut self) -> Result<(), Error> {
        let mut lease = self.ask(self.api.get(&self.name)).await?;
        let Some(spec) = lease.spec.as_mut() else {
            return Ok(());
        };
        if spec.holder_identity.as_deref() != Some(&self.identity) {
            return Ok(());
        }
        spec.holder_identity = Some(String::new());
        let params = PostParams::default();
        self.ask(self.api.replace(&self.name, &params, &lease))
            .await?;
        tracing::info!(lease = self.name, "the lease is given back");
        Ok(())
    }

    /// The lease as it is when this process holds it; the version it was read at stays in it.
    fn written(&self, mut lease: Lease, is_new: bool) -> Lease {
        let before = lease.spec.take().unwrap_or_default();
        let now = Some(MicroTime(Timestamp::now()));
        lease.spec = Some(LeaseSpec {
            acquire_time: if is_new {
                now.clone()
            } else {
                before.acquire_time
            },
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(LASTS.as_secs()).ok(),
            lease_transitions: Some(before.lease_transitions.unwrap_or(0) + i32::from(is_new)),
            renew_time: now,
            ..LeaseSpec::default()
        });
        lease
    }

    fn tell(&self, error: &Error) {
        self.metrics.failed("Lease", error.class());
        tracing::warn!(
            lease = self.name,
            error = %chassis::chain(error),
            "the lease cannot be read or written"
        );
    }
}
