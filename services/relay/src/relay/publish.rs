//! Publishing: waves of messages, each repeated under the same ids until the broker has confirmed it.

use messaging::{
    metrics::{DatabaseLabels, PublishLabels},
    outbox::OutboxRow,
    publisher::{Answer, Outgoing},
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{RETRY, Relay, RelayError};
use crate::batch::{self, Planned, Wave};

impl Relay {
    pub(super) async fn publish(
        &mut self,
        rows: Vec<OutboxRow>,
        stop: &CancellationToken,
    ) -> Result<(), RelayError> {
        for wave in batch::plan(rows) {
            self.publish_wave(wave, stop).await?;
        }
        Ok(())
    }

    /// Publishes a wave until every message of it is confirmed: the same ids again after a return, a nack or silence.
    async fn publish_wave(
        &mut self,
        mut wave: Wave,
        stop: &CancellationToken,
    ) -> Result<(), RelayError> {
        let mut pause = RETRY.0;
        loop {
            // First the connection: leasing the lanes again under a new one shows which are lost.
            if !wave.is_empty() {
                self.ready_publisher().await?;
            }
            self.forget_lost(&mut wave);
            if wave.is_empty() {
                return Ok(());
            }
            let messages: Vec<Outgoing> =
                wave.iter().map(|planned| planned.message.clone()).collect();
            let answers = self.send(messages).await?;
            let returned = answers
                .iter()
                .any(|answer| matches!(answer, Answer::Returned));
            let events: usize = wave
                .iter()
                .zip(&answers)
                .filter(|(_, answer)| matches!(answer, Answer::Confirmed))
                .map(|(planned, _)| planned.rows.len())
                .sum();
            let database = self.settings.database;
            let confirmed = self
                .metrics
                .published_events
                .get_or_create(&DatabaseLabels { database })
                .clone();
            confirmed.inc_by(u64::try_from(events).expect("a count fits"));
            let mut answers = answers.into_iter();
            wave.retain(|_| !matches!(answers.next(), Some(Answer::Confirmed)));
            if wave.is_empty() {
                return Ok(());
            }
            if returned {
                self.declare_topology().await;
            }
            let waited = self.renewing(tokio::time::sleep(pause)).await;
            waited?;
            if stop.is_cancelled() {
                return Err(RelayError::Stopped);
            }
            pause = (pause * 2).min(RETRY.1);
        }
    }

    /// One attempt at a set of messages, renewing leases while the broker thinks.
    async fn send(&mut self, messages: Vec<Outgoing>) -> Result<Vec<Answer>, RelayError> {
        let publisher = self.publisher.take().ok_or(RelayError::LeaseEnded)?;
        if publisher.is_blocked() {
            tracing::warn!(
                relay = self.settings.name,
                "the broker blocks publishing; waiting"
            );
            self.publisher = Some(publisher);
            return Ok(messages.iter().map(|_| Answer::TimedOut).collect());
        }
        if Instant::now() >= self.leases_hold_until {
            return Err(RelayError::LeaseEnded);
        }
        // Without its leases the connection is closed: it is dropped here.
        let answers = self.renewing(publisher.publish(&messages)).await?;
        self.report(&answers);
        // After silence or a failure the channel is of no more use: the next attempt has a new one.
        let broken = answers
            .iter()
            .any(|answer| matches!(answer, Answer::TimedOut | Answer::Failed(_)));
        if broken {
            publisher.close().await;
        } else {
            self.publisher = Some(publisher);
        }
        Ok(answers)
    }

    /// Drops what belongs to lanes that were lost: their new owner publishes it.
    fn forget_lost(&self, wave: &mut Vec<Planned>) {
        wave.retain(|planned| {
            planned
                .rows
                .iter()
                .any(|row| self.cursors.owns(row.lane.number()))
        });
    }

    async fn declare_topology(&mut self) {
        tracing::error!(
            relay = self.settings.name,
            "the broker has no queue for an event; declaring the topology again"
        );
        let Some(publisher) = &self.publisher else {
            return;
        };
        if let Err(error) = publisher.declare_topology().await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the topology could not be declared"
            );
        }
    }

    fn report(&self, answers: &[Answer]) {
        for answer in answers {
            let labels = PublishLabels {
                database: self.settings.database,
                outcome: answer.as_str(),
            };
            self.metrics.publishes.get_or_create(&labels).inc();
            if let Answer::Failed(error) = answer {
                tracing::warn!(
                    error = error as &dyn std::error::Error,
                    "a publish failed; its outcome is unknown"
                );
            }
        }
    }
}
