//! Settling a micro-batch: inbox, effect, replies and rows of what is not settled in one transaction, halved until each
//! culprit stands alone.

use std::{borrow::Cow, time::Duration};

use sqlx::{Connection, PgTransaction};
use uuid::Uuid;

use super::{
    Content, Entry, Handler, Outcome, Received, Schedule,
    halving::{Cause, Halving},
    lot::Lot,
    metrics::QueueMetrics,
    spans::Spans,
};
use crate::{
    failure::{Failure, ReasonClass, Rejection},
    fault_point::{self, FaultPoint},
    inbox::{self, Verdict},
    metrics::time,
    pool::Pool,
    span::Attempt,
};

/// How long one transaction may take, whatever becomes of the network: beyond all of the server's own limits.
const SETTLE_TIMEOUT: Duration = Duration::from_mins(1);

/// What settling needs besides the batch.
pub(super) struct Settling<'c, H> {
    pub(super) handler: &'c H,
    pub(super) pool: &'c Pool,
    pub(super) schedule: &'c Schedule,
    pub(super) metrics: &'c QueueMetrics,
}

/// What becomes of an entry.
#[derive(Debug, Clone)]
pub(super) enum Fate<'e> {
    /// It had its effect, now.
    Settled,
    /// It came before.
    Duplicate,
    /// It waits in a deferred row.
    Later(Cow<'e, Rejection>),
    /// It is a dead letter.
    Dead(Cow<'e, Rejection>),
}

/// What one committed transaction did.
#[derive(Debug, Default)]
struct Settled {
    fresh: u64,
    duplicates: u64,
    deferred: u64,
    dead: Vec<Dead>,
}

/// A new dead letter, as its log line tells of it.
#[derive(Debug)]
struct Dead {
    reason: ReasonClass,
    event_id: Option<Uuid>,
    trace_id: Option<String>,
}

impl<H: Handler> Settling<'_, H> {
    /// Settles a lot whole. After an error parts of it may be settled, and the same call may be made again.
    pub(super) async fn settle(
        &self,
        lot: Lot,
        entries: &[Entry<'_, H::Message>],
    ) -> Result<(), Failure> {
        let mut halving = Halving::new(entries.len(), lot.evidence());
        let mut attempt = Attempt::First;
        while let Some(part) = halving.next_part() {
            match self.attempt(lot, attempt, &entries[part.clone()]).await {
                Ok(fresh) => halving.settled(fresh),
                Err(failure) => halving.failed(part, failure)?,
            }
            // The first part is the whole of them.
            attempt = Attempt::Again;
        }
        let culprits: Vec<_> = halving
            .finish()?
            .into_iter()
            .map(|(place, cause)| entries[place].with(set_aside(cause)))
            .collect();
        if !culprits.is_empty() {
            self.attempt(lot, attempt, &culprits).await?;
        }
        Ok(())
    }

    /// Settles a lot in one transaction or not at all. Says how many events had their effect.
    ///
    /// What is tried for the first time here may have been tried before; then its origin says so.
    pub(super) async fn attempt(
        &self,
        lot: Lot,
        attempt: Attempt,
        entries: &[Entry<'_, H::Message>],
    ) -> Result<u64, Failure> {
        // Before there is a transaction: to wait for one is part of the attempt, and it may fail there. Of rows it is not
        // known yet which of them it holds.
        let mut spans = match lot {
            Lot::Queue => Spans::begin(H::QUEUE, attempt, entries.iter()),
            _ => Spans::default(),
        };
        let settling = self.settle_once(lot, entries, &mut spans);
        let (settled, effect) = tokio::time::timeout(SETTLE_TIMEOUT, settling)
            .await
            .unwrap_or_else(|elapsed| Err(Failure::Away(Box::new(elapsed))))
            .inspect_err(|failure| {
                spans.fail(failure.class());
                self.metrics.failed(entries, failure);
            })?;
        self.count(&settled);
        self.handler.committed(effect);
        Ok(settled.fresh)
    }

    /// One transaction. Dying anywhere before its commit changes nothing and the broker delivers again; dying after it,
    /// the inbox knows the events when they are delivered again.
    async fn settle_once(
        &self,
        lot: Lot,
        entries: &[Entry<'_, H::Message>],
        spans: &mut Spans,
    ) -> Result<(Settled, H::Effect), Failure> {
        let mut connection = self.pool.acquire().await.map_err(Failure::away)?;
        let tx = connection.begin().await.map_err(Failure::away)?;
        let transaction = self.transact(tx, lot, entries, spans);
        let settled = time(&self.metrics.settling, transaction).await?;
        self.pool.keep(connection);
        Ok(settled)
    }

    async fn transact(
        &self,
        mut tx: PgTransaction<'_>,
        lot: Lot,
        entries: &[Entry<'_, H::Message>],
        spans: &mut Spans,
    ) -> Result<(Settled, H::Effect), Failure> {
        let queue = H::QUEUE.name;
        let held = lot.hold(&mut tx, entries).await?;
        if !matches!(lot, Lot::Queue) {
            *spans = Spans::begin(H::QUEUE, Attempt::Again, held.iter().copied());
        }
        let verdicts = enter(&mut tx, queue, lot, &held).await?;
        let mut fates: Vec<_> = held
            .iter()
            .zip(verdicts)
            .map(|(entry, verdict)| judge(entry, verdict))
            .collect();
        let effect = self.handle(&mut tx, &held, &mut fates, spans).await?;
        for (entry, fate) in held.iter().zip(&mut fates) {
            lot.limit(self.schedule, entry, fate);
        }
        lot.write(&mut tx, queue, self.schedule, &held, &fates)
            .await?;
        inbox::note_duplicates(&mut tx, queue, &duplicates(&held, &fates)).await?;
        fault_point::pass(FaultPoint::BeforeCommit);
        tx.commit().await?;
        fault_point::pass(FaultPoint::AfterCommit);
        self.metrics.committed(&held, &fates);
        spans.end(&fates);
        Ok((Settled::of(&held, &fates), effect))
    }

    /// Gives the handler the messages that are to have their effect, and takes down what it says of them.
    async fn handle<'e>(
        &self,
        tx: &mut PgTransaction<'_>,
        held: &[&'e Entry<'_, H::Message>],
        fates: &mut [Fate<'e>],
        spans: &Spans,
    ) -> Result<H::Effect, Failure> {
        let mut places = Vec::new();
        let mut messages = Vec::new();
        for (place, (entry, fate)) in held.iter().zip(fates.iter()).enumerate() {
            if let (Content::Message(received), Fate::Settled) = (&entry.content, fate) {
                places.push(place);
                messages.push(Received {
                    trace: spans.context(place).copied().unwrap_or(received.trace),
                    ..received.clone()
                });
            }
        }
        if messages.is_empty() {
            return Ok(H::Effect::default());
        }
        let (unsettled, effect) = self.handler.settle(tx, &messages).await?;
        for unsettled in unsettled {
            fates[places[unsettled.index]] = match unsettled.outcome {
                Outcome::NotYet(rejection) => Fate::Later(Cow::Owned(rejection)),
                Outcome::Rejected(rejection) => Fate::Dead(Cow::Owned(rejection)),
            };
        }
        Ok(effect)
    }

    fn count(&self, settled: &Settled) {
        let queue = H::QUEUE.name;
        self.metrics.fresh.inc_by(settled.fresh);
        self.metrics.duplicates.inc_by(settled.duplicates);
        self.metrics.deferred.inc_by(settled.deferred);
        if settled.deferred > 0 {
            let events = settled.deferred;
            tracing::info!(queue, events, "events were put off until another attempt");
        }
        for dead in &settled.dead {
            self.metrics.dead_letter(dead.reason);
            tracing::warn!(
                queue,
                reason = dead.reason.as_str(),
                event_id = dead.event_id.map(tracing::field::display),
                trace_id = dead.trace_id,
                "a message became a dead letter"
            );
        }
    }
}

impl Settled {
    fn of<T>(held: &[&Entry<'_, T>], fates: &[Fate<'_>]) -> Self {
        let mut settled = Self::default();
        for (entry, fate) in held.iter().zip(fates) {
            match fate {
                Fate::Settled => settled.fresh += 1,
                Fate::Duplicate => settled.duplicates += 1,
                Fate::Later(_) => settled.deferred += 1,
                Fate::Dead(rejection) => settled.dead.push(Dead {
                    reason: rejection.class,
                    event_id: entry.identity.map(|identity| identity.id),
                    trace_id: entry.parcel.trace.map(|trace| trace.trace_id()),
                }),
            }
        }
        settled
    }
}

/// What is done with an event that fails alone.
fn set_aside<T>(cause: Cause) -> Content<T> {
    match cause {
        Cause::Permanent(rejection) => Content::Dead(rejection),
        Cause::Passing(cause) => Content::Later(Rejection::new(
            ReasonClass::Exhausted,
            format!("it alone could not be settled: {cause}"),
        )),
    }
}

/// The events that came before.
fn duplicates<T>(held: &[&Entry<'_, T>], fates: &[Fate<'_>]) -> Vec<Uuid> {
    let fates = held.iter().zip(fates);
    let duplicates = fates.filter(|(_, fate)| matches!(fate, Fate::Duplicate));
    duplicates
        .filter_map(|(entry, _)| Some(entry.identity?.id))
        .collect()
}

/// Enters the events into the inbox; none where an entry has nothing to enter.
async fn enter<T>(
    tx: &mut PgTransaction<'_>,
    queue: &str,
    lot: Lot,
    held: &[&Entry<'_, T>],
) -> Result<Vec<Option<Verdict>>, sqlx::Error> {
    let identities: Vec<_> = held.iter().map(|entry| lot.enters(entry)).collect();
    let events: Vec<_> = identities.iter().flatten().copied().collect();
    if events.is_empty() {
        return Ok(vec![None; held.len()]);
    }
    let mut verdicts = inbox::enter(tx, queue, &events).await?.into_iter();
    Ok(identities
        .into_iter()
        .map(|identity| identity.and_then(|_| verdicts.next()))
        .collect())
}

/// What is to become of an entry, as far as the inbox can tell.
fn judge<'e, T>(entry: &'e Entry<'_, T>, verdict: Option<Verdict>) -> Fate<'e> {
    let entered_with_row = entry.row.is_some_and(|row| row.entered);
    match verdict {
        Some(Verdict::Duplicate) if !entered_with_row => Fate::Duplicate,
        Some(Verdict::Conflict) => Fate::Dead(Cow::Owned(Rejection::new(
            ReasonClass::Conflict,
            "the event id came before with other contents",
        ))),
        _ => match &entry.content {
            Content::Message(_) => Fate::Settled,
            Content::Later(rejection) => Fate::Later(Cow::Borrowed(rejection)),
            Content::Dead(rejection) => Fate::Dead(Cow::Borrowed(rejection)),
        },
    }
}
