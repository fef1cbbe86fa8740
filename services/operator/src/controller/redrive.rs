//! `Redrive`: takes dead letters through the steps of [`crate::redriving`], each written down before it is taken.

mod changes;

use std::time::Duration;

use kube::{
    Api, Client,
    api::{DeleteParams, Patch, Preconditions},
};
use serde_json::json;
use time::OffsetDateTime;

use super::{Common, Error, Reconcile, applied, backoff::Backoffs, event, within};
use crate::{
    ops::OpsError,
    redriving::{Action, Seen, question, refused, step},
    resource::{Phase, Redrive, RedriveStatus},
};

/// When to look again at a resource that is being removed.
const REMOVED: Duration = Duration::from_mins(1);

/// The controller.
pub(super) struct Redrives {
    client: Client,
    common: Common,
    backoffs: Backoffs,
}

impl Redrives {
    pub(super) fn new(client: Client, common: Common) -> Self {
        Self {
            client,
            common,
            backoffs: Backoffs::default(),
        }
    }

    fn api(&self) -> Api<Redrive> {
        Api::default_namespaced(self.client.clone())
    }

    /// Writes the status, if it is still the one that was decided on: so of two operators that believe to act one is stopped
    /// here, before it asks for anything.
    async fn write(
        &self,
        name: &str,
        redrive: &Redrive,
        status: &RedriveStatus,
    ) -> Result<(), Error> {
        if redrive.status.as_ref() == Some(status) {
            return Ok(());
        }
        let patch = json!({
            "apiVersion": "gozon.io/v1alpha1",
            "kind": Self::NAME,
            "metadata": {
                "uid": redrive.metadata.uid,
                "resourceVersion": redrive.metadata.resource_version,
            },
            "status": status,
        });
        within(
            self.api()
                .patch_status(name, &applied(), &Patch::Apply(&patch)),
        )
        .await?;
        let before = redrive.status.clone().unwrap_or_default();
        let changes = changes::changes(&before, status);
        let (metrics, identity) = (&self.common.metrics, &self.common.identity);
        event::tell(&self.client, identity, metrics, redrive, &changes).await;
        Ok(())
    }

    async fn act(&self, redrive: &Redrive, action: &Action) -> Result<(), Error> {
        match action {
            Action::Redrive { ids } => self.common.ops.redrive(redrive, ids).await?,
            Action::TakeBack { ids } => {
                self.common.ops.take_back(redrive, ids).await?;
            }
            Action::Remove => self.remove(redrive).await?,
        }
        Ok(())
    }

    /// The service refuses even to say how it goes on. What it was asked for is not left to go on unseen: that it stops is
    /// written down first, then it is taken back, then it ends.
    async fn give_up(
        &self,
        name: &str,
        redrive: &Redrive,
        why: &str,
        now: OffsetDateTime,
    ) -> Result<(), Error> {
        let before = redrive.status.clone().unwrap_or_default();
        let status = match before.phase {
            Some(Phase::Running) => RedriveStatus {
                phase: Some(Phase::Stopping),
                ..before
            },
            Some(Phase::Stopping) => {
                let ids: Vec<_> = before.letters.iter().map(|letter| letter.id).collect();
                match self.common.ops.take_back(redrive, &ids).await {
                    Ok(()) | Err(OpsError::Refused { .. }) => refused(redrive, why, now),
                    Err(error) => return Err(error.into()),
                }
            }
            _ => refused(redrive, why, now),
        };
        self.write(name, redrive, &status).await
    }

    async fn remove(&self, redrive: &Redrive) -> Result<(), Error> {
        let name = redrive.metadata.name.as_deref().unwrap_or_default();
        // Another of the same name is not meant.
        let params = DeleteParams {
            preconditions: Some(Preconditions {
                uid: redrive.metadata.uid.clone(),
                resource_version: None,
            }),
            ..DeleteParams::default()
        };
        match within(self.api().delete(name, &params)).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }
}

impl Reconcile for Redrives {
    type Kind = Redrive;
    const NAME: &'static str = "Redrive";

    fn common(&self) -> &Common {
        &self.common
    }

    fn backoffs(&self) -> &Backoffs {
        &self.backoffs
    }

    async fn step(&self, name: &str) -> Result<Duration, Error> {
        // What was watched may be older than what this operator wrote last.
        let redrive = within(self.api().get_opt(name)).await?.ok_or(Error::Gone)?;
        let now = OffsetDateTime::now_utc();
        let seen = match self.common.ops.see(&redrive, &question(&redrive)).await {
            Ok(seen) => seen,
            Err(OpsError::Refused { why, .. }) => {
                self.give_up(name, &redrive, &why, now).await?;
                return Ok(Duration::ZERO);
            }
            Err(error) => {
                let error = Error::from(error);
                self.common.metrics.failed(Self::NAME, error.class());
                let why = error.to_string();
                Seen::Away { why }
            }
        };
        let step = step(&redrive, &seen, now);
        self.write(name, &redrive, &step.status).await?;
        let Some(action) = &step.action else {
            return Ok(step.again);
        };
        match self.act(&redrive, action).await {
            Ok(()) if *action == Action::Remove => Ok(REMOVED),
            Ok(()) => Ok(step.again),
            Err(Error::Ops(OpsError::Refused { why, .. })) => {
                // The status was just written: what is refused is said at the next look, which asks again.
                let redrive = within(self.api().get_opt(name)).await?.ok_or(Error::Gone)?;
                let status = refused(&redrive, &why, OffsetDateTime::now_utc());
                self.write(name, &redrive, &status).await?;
                Ok(Duration::ZERO)
            }
            Err(error) => Err(error),
        }
    }

    fn forget(&self, _: &str) {}
}
