//! `OutboxRelay`: looks at an outbox, decides how many relays there are to be, and scales their Deployment.

mod status;
mod view;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use k8s_openapi::{api::apps::v1::Deployment, apimachinery::pkg::apis::meta::v1::Time};
use kube::{
    Api, Client,
    api::{ListParams, Patch},
};
use serde_json::json;
use time::OffsetDateTime;

use self::{status::Looked, view::Published};
use super::{Common, Error, Reconcile, applied, backoff::Backoffs, event, within};
use crate::{
    resource::{OutboxRelay, OutboxRelayStatus},
    scaling::{Limits, Observed, Recent, Source, plan},
};

/// How often an outbox is looked at.
const EVERY: Duration = Duration::from_secs(5);

/// A Deployment's scale as it was found.
struct Found {
    replicas: u32,
    version: Option<String>,
}

/// Who was there first: the older one, and of two of the same second the one whose name comes first.
fn rank(relay: &OutboxRelay) -> (Option<&Time>, Option<&String>) {
    let meta = &relay.metadata;
    (meta.creation_timestamp.as_ref(), meta.name.as_ref())
}

/// The controller.
pub(super) struct Relays {
    client: Client,
    common: Common,
    backoffs: Backoffs,
    /// What the last look left behind, by name. What must not be lost with the process stands in the status, too.
    memories: Mutex<HashMap<String, Memory>>,
}

#[derive(Debug, Clone, Default)]
struct Memory {
    /// Of which resource of that name.
    uid: Option<String>,
    recent: Recent,
    published: Option<Published>,
    /// Whether this process has written the number of relays. It does so once even where it is right: a number that is somebody
    /// else's, a chart's say, would go when they take it away.
    has_written: bool,
}

impl Relays {
    pub(super) fn new(client: Client, common: Common) -> Self {
        Self {
            client,
            common,
            backoffs: Backoffs::default(),
            memories: Mutex::default(),
        }
    }

    fn memories(&self) -> MutexGuard<'_, HashMap<String, Memory>> {
        self.memories.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn memory(&self, name: &str, relay: &OutboxRelay) -> Memory {
        let memory = self.memories().get(name).cloned();
        let memory = memory.filter(|memory| memory.uid == relay.metadata.uid);
        let status = relay.status.as_ref();
        let learned = status.and_then(|status| status.learned.as_ref());
        memory.unwrap_or_else(|| Memory {
            uid: relay.metadata.uid.clone(),
            recent: learned.map(Recent::after).unwrap_or_default(),
            ..Memory::default()
        })
    }

    /// The scale of a Deployment; none where there is no such Deployment.
    async fn found(&self, target: &str) -> Result<Option<Found>, Error> {
        let api: Api<Deployment> = Api::default_namespaced(self.client.clone());
        match within(api.get_scale(target)).await {
            Ok(scale) => {
                let replicas = scale.spec.and_then(|spec| spec.replicas);
                Ok(Some(Found {
                    replicas: replicas.unwrap_or_default().max(0).unsigned_abs(),
                    version: scale.metadata.resource_version,
                }))
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Scales a Deployment, if it is still the one that was decided on: a number that somebody has set meanwhile is looked at
    /// first.
    async fn scale(&self, target: &str, found: &Found, replicas: u32) -> Result<(), Error> {
        let api: Api<Deployment> = Api::default_namespaced(self.client.clone());
        let scale = json!({
            "apiVersion": "autoscaling/v1",
            "kind": "Scale",
            "metadata": {"name": target, "resourceVersion": found.version},
            "spec": {"replicas": replicas},
        });
        within(api.patch_scale(target, &applied(), &Patch::Apply(&scale))).await?;
        Ok(())
    }

    /// The name of another that scales the same Deployment and was there first.
    async fn taken_by(&self, relay: &OutboxRelay) -> Result<Option<String>, Error> {
        let api: Api<OutboxRelay> = Api::default_namespaced(self.client.clone());
        let all = within(api.list(&ListParams::default())).await?.items;
        let target = &relay.spec.scale_target_ref;
        let mut same: Vec<_> = all
            .iter()
            .filter(|other| other.spec.scale_target_ref == *target)
            .map(rank)
            .collect();
        same.sort();
        let first = same.into_iter().next().filter(|first| *first < rank(relay));
        Ok(first.and_then(|(_, name)| name.cloned()))
    }

    async fn source(&self, relay: &OutboxRelay, memory: &mut Memory) -> (Source, Option<Looked>) {
        match self.common.ops.outbox(relay.spec.service).await {
            Ok(view) => {
                let now = tokio::time::Instant::now();
                let outbox = view::outbox(&view, memory.published.as_ref(), now);
                memory.published = Some(Published::of(&view, now));
                (Source::Read(outbox), Some(Looked::of(&view)))
            }
            Err(error) => {
                // A rate over the time that nobody looked would be one of that time.
                memory.published = None;
                let error = Error::from(error);
                self.common.metrics.failed(Self::NAME, error.class());
                let why = error.to_string();
                (Source::Away { why }, None)
            }
        }
    }

    async fn write(
        &self,
        name: &str,
        relay: &OutboxRelay,
        status: &OutboxRelayStatus,
    ) -> Result<(), Error> {
        if relay.status.as_ref() == Some(status) {
            return Ok(());
        }
        let api: Api<OutboxRelay> = Api::default_namespaced(self.client.clone());
        let patch = json!({
            "apiVersion": "gozon.io/v1alpha1",
            "kind": Self::NAME,
            "status": status,
        });
        let params = applied();
        within(api.patch_status(name, &params, &Patch::Apply(&patch))).await?;
        let before = relay.status.clone().unwrap_or_default();
        let changes = status::changes(&before, status);
        let (metrics, identity) = (&self.common.metrics, &self.common.identity);
        event::tell(&self.client, identity, metrics, relay, &changes).await;
        Ok(())
    }
}

impl Reconcile for Relays {
    type Kind = OutboxRelay;
    const NAME: &'static str = "OutboxRelay";

    fn common(&self) -> &Common {
        &self.common
    }

    fn backoffs(&self) -> &Backoffs {
        &self.backoffs
    }

    async fn step(&self, name: &str) -> Result<Duration, Error> {
        // What was watched may be older than what this operator wrote last.
        let api: Api<OutboxRelay> = Api::default_namespaced(self.client.clone());
        let relay = within(api.get_opt(name)).await?.ok_or(Error::Gone)?;
        let target = &relay.spec.scale_target_ref.name;
        if let Some(other) = self.taken_by(&relay).await? {
            // What it knew of the relays is of a time when they were its own.
            self.forget(name);
            let status = status::target_taken(&relay, &other, OffsetDateTime::now_utc());
            self.write(name, &relay, &status).await?;
            return Ok(EVERY);
        }
        let Some(found) = self.found(target).await? else {
            // One that comes under the same name may be of other relays.
            self.forget(name);
            let status = status::without_target(&relay, OffsetDateTime::now_utc());
            self.write(name, &relay, &status).await?;
            return Ok(EVERY);
        };
        let replicas = found.replicas;
        let mut memory = self.memory(name, &relay);
        let (source, looked) = self.source(&relay, &mut memory).await;
        let observed = Observed {
            replicas,
            source,
            recent: memory.recent.clone(),
        };
        let now = OffsetDateTime::now_utc();
        let decision = plan(&observed, &Limits::from(&relay.spec), now);
        let is_change = decision.replicas != replicas;
        if is_change || (!memory.has_written && replicas > 0) {
            self.scale(target, &found, decision.replicas).await?;
            memory.has_written = true;
        }
        if is_change {
            tracing::info!(
                target,
                from = replicas,
                to = decision.replicas,
                reason = %decision.reason,
                "relays are scaled"
            );
        }
        memory.recent = decision.recent.clone();
        self.memories().insert(name.to_owned(), memory);
        let status = status::status(&relay, &observed, looked.as_ref(), &decision, now);
        self.write(name, &relay, &status).await?;
        Ok(EVERY)
    }

    fn forget(&self, name: &str) {
        self.memories().remove(name);
    }
}
