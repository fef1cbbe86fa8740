//! `OutboxRelay`: looks at an outbox, decides how many relays there are to be, and scales their Deployment.

mod status;
mod view;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use k8s_openapi::api::apps::v1::Deployment;
use kube::{Api, Client, api::Patch};
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

/// The controller.
pub(super) struct Relays {
    client: Client,
    common: Common,
    backoffs: Backoffs,
    /// What the last look left behind, by name. Lost with the process, which only means to be slower for a while.
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
        memory.unwrap_or_else(|| Memory {
            uid: relay.metadata.uid.clone(),
            ..Memory::default()
        })
    }

    /// How many relays there are to be; none where there is no such Deployment.
    async fn replicas(&self, target: &str) -> Result<Option<u32>, Error> {
        let api: Api<Deployment> = Api::default_namespaced(self.client.clone());
        match within(api.get_scale(target)).await {
            Ok(scale) => {
                let replicas = scale.spec.and_then(|spec| spec.replicas);
                Ok(Some(replicas.unwrap_or_default().max(0).unsigned_abs()))
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn scale(&self, target: &str, replicas: u32) -> Result<(), Error> {
        let api: Api<Deployment> = Api::default_namespaced(self.client.clone());
        let scale = json!({
            "apiVersion": "autoscaling/v1",
            "kind": "Scale",
            "metadata": {"name": target},
            "spec": {"replicas": replicas},
        });
        within(api.patch_scale(target, &applied(), &Patch::Apply(&scale))).await?;
        Ok(())
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
        let Some(replicas) = self.replicas(target).await? else {
            let status = status::without_target(&relay, OffsetDateTime::now_utc());
            self.write(name, &relay, &status).await?;
            return Ok(EVERY);
        };
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
            self.scale(target, decision.replicas).await?;
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
