//! Settling a micro-batch: inbox, effect, replies and dead letters in one transaction, halved until a culprit stands alone.

use std::time::Duration;

use sqlx::PgPool;
use time::OffsetDateTime;

use super::{Handler, Received, envelope::Event, origin::Origin};
use crate::{
    dead_letter::{self, DeadLetter},
    failure::{BoxError, Failure, ReasonClass, Rejection},
    inbox::{self, Verdict},
    metrics::{DeadLetterLabels, InboxLabels, InboxOutcome, Metrics},
};

/// How long one transaction may take, whatever becomes of the network: beyond all of the server's own limits.
const SETTLE_TIMEOUT: Duration = Duration::from_mins(1);

/// One event of a micro-batch, decoded; what it needs to become a dead letter is kept.
pub(crate) struct Item<T> {
    pub event: Event,
    pub body: Vec<u8>,
    pub origin: Origin,
    pub received: Received<T>,
}

/// What one committed transaction did.
#[derive(Debug, Default)]
struct Settled {
    fresh: u64,
    duplicates: u64,
    letters: Vec<ReasonClass>,
}

/// Settles events and writes dead letters. An error is transient: nothing more was committed than what stays settled,
/// and the same call may be made again.
pub(crate) async fn settle<H: Handler>(
    handler: &H,
    pool: &PgPool,
    metrics: &Metrics,
    items: &[Item<H::Message>],
    letters: &[DeadLetter],
) -> Result<(), BoxError> {
    let settled = tokio::time::timeout(SETTLE_TIMEOUT, settle_once(handler, pool, items, letters));
    match settled
        .await
        .unwrap_or_else(|elapsed| Err(Failure::Transient(Box::new(elapsed))))
    {
        Ok(settled) => {
            count::<H>(metrics, &settled);
            Ok(())
        }
        Err(Failure::Transient(cause)) => Err(cause),
        Err(Failure::Permanent(rejection)) => match items {
            [] => Err(Box::new(rejection)),
            [item] => {
                let mut letters = letters.to_vec();
                letters.push(*item.origin.event_letter(&item.event, &item.body, rejection));
                Box::pin(settle(handler, pool, metrics, &[], &letters)).await
            }
            _ => {
                let (first, second) = items.split_at(items.len() / 2);
                Box::pin(settle(handler, pool, metrics, first, letters)).await?;
                Box::pin(settle(handler, pool, metrics, second, &[])).await
            }
        },
    }
}

/// One transaction. Dying anywhere before its commit changes nothing and the broker delivers again; dying after it, the
/// inbox knows the events when they are delivered again.
async fn settle_once<H: Handler>(
    handler: &H,
    pool: &PgPool,
    items: &[Item<H::Message>],
    letters: &[DeadLetter],
) -> Result<Settled, Failure> {
    let mut tx = pool.begin().await?;
    let ids: Vec<_> = items
        .iter()
        .map(|item| (item.event.id.as_uuid(), item.event.digest()))
        .collect();
    let verdicts = inbox::enter(&mut tx, H::QUEUE.name, &ids).await?;
    let all_ids: Vec<_> = ids.iter().map(|(id, _)| *id).collect();
    let dead = dead_letter::among(&mut tx, H::QUEUE.name, &all_ids).await?;

    let mut fresh_items = Vec::new();
    let mut conflicts = Vec::new();
    let mut duplicates = 0;
    for (item, verdict) in items.iter().zip(verdicts) {
        match verdict {
            Verdict::Fresh if dead.contains(&item.event.id.as_uuid()) => {
                conflicts.push(*item.origin.event_letter(
                    &item.event,
                    &item.body,
                    Rejection::new(
                        ReasonClass::Conflict,
                        "the event id is in dead letters already",
                    ),
                ));
            }
            Verdict::Fresh => fresh_items.push(item),
            Verdict::Duplicate => duplicates += 1,
            Verdict::Conflict => conflicts.push(*item.origin.event_letter(
                &item.event,
                &item.body,
                Rejection::new(
                    ReasonClass::Conflict,
                    "the event id was settled before with other contents",
                ),
            )),
        }
    }
    let fresh: Vec<_> = fresh_items
        .iter()
        .map(|item| item.received.clone())
        .collect();
    let rejected = if fresh.is_empty() {
        Vec::new()
    } else {
        handler.settle(&mut tx, &fresh).await?
    };
    let rejected: Vec<DeadLetter> = rejected
        .into_iter()
        .map(|rejected| {
            let item = fresh_items[rejected.index];
            *item
                .origin
                .event_letter(&item.event, &item.body, rejected.rejection)
        })
        .collect();

    let all: Vec<&DeadLetter> = letters.iter().chain(&conflicts).chain(&rejected).collect();
    dead_letter::write(&mut tx, H::QUEUE.name, &all).await?;
    tx.commit().await?;
    Ok(Settled {
        fresh: u64::try_from(fresh.len() - rejected.len()).expect("a count fits"),
        duplicates,
        letters: all.iter().map(|letter| letter.rejection.class).collect(),
    })
}

fn count<H: Handler>(metrics: &Metrics, settled: &Settled) {
    let queue = H::QUEUE.name;
    let by = |outcome| {
        metrics
            .inbox_messages
            .get_or_create(&InboxLabels { queue, outcome })
            .clone()
    };
    by(InboxOutcome::Fresh).inc_by(settled.fresh);
    by(InboxOutcome::Duplicate).inc_by(settled.duplicates);
    for reason in settled.letters.iter().copied() {
        by(InboxOutcome::DeadLetter).inc();
        metrics
            .dead_letters
            .get_or_create(&DeadLetterLabels { queue, reason })
            .inc();
        tracing::warn!(
            queue,
            reason = reason.as_str(),
            "a message became a dead letter"
        );
    }
}

/// Decodes an event into an item, or into a dead letter.
pub(crate) fn decode<H: Handler>(
    handler: &H,
    event: Event,
    body: Vec<u8>,
    origin: &Origin,
    received_at: OffsetDateTime,
) -> Result<Item<H::Message>, Box<DeadLetter>> {
    match handler.decode(&event) {
        Ok(message) => Ok(Item {
            received: Received {
                event_id: event.id,
                trace: event.trace,
                received_at,
                message,
            },
            event,
            body,
            origin: origin.clone(),
        }),
        Err(rejection) => Err(origin.event_letter(&event, &body, rejection)),
    }
}
