//! The push log: which changes this replica told its sockets, so that whoever follows an order sees its last hop.
//!
//! It is gathered in memory and written some times a second, a row each time: a row for each telling would cost every
//! order a write. What a killed replica had not written is missing.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use contracts::OrderId;
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    limits,
    storage::push_log::{self, Pushed},
};

/// What was told and is not written yet.
#[derive(Debug, Default)]
pub(crate) struct PushLog {
    told: Mutex<HashMap<(OrderId, i32), Telling>>,
}

#[derive(Debug, Clone, Copy)]
struct Telling {
    at: OffsetDateTime,
    sockets: i32,
}

impl PushLog {
    /// A socket took this version of an order. When too much waits to be written it is left out: a log costs no order.
    pub(crate) fn note(&self, order_id: OrderId, version: i32, at: OffsetDateTime) {
        let mut told = self.lock();
        let is_full = told.len() >= limits::PUSH_LOG_WAITING_MAX;
        match told.get_mut(&(order_id, version)) {
            Some(telling) => telling.sockets = telling.sockets.saturating_add(1),
            None if is_full => {}
            None => {
                told.insert((order_id, version), Telling { at, sockets: 1 });
            }
        }
    }

    fn take(&self) -> Vec<Pushed> {
        let told = std::mem::take(&mut *self.lock());
        let told = told.into_iter();
        told.map(|((order_id, version), telling)| Pushed {
            order_id,
            version,
            at: telling.at,
            sockets: telling.sockets,
        })
        .collect()
    }

    /// The lock is held for a few instructions without a panic in them; a poisoned one still holds sound entries.
    fn lock(&self) -> MutexGuard<'_, HashMap<(OrderId, i32), Telling>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who writes the log of one process down.
#[derive(Debug)]
pub struct PushLogWriter {
    log: Arc<PushLog>,
    replica: String,
    pool: PgPool,
}

impl PushLogWriter {
    pub(crate) const fn new(log: Arc<PushLog>, replica: String, pool: PgPool) -> Self {
        Self { log, replica, pool }
    }

    /// Writes until stopped, and once more then. What cannot be written is lost.
    pub async fn run(self, stop: CancellationToken) {
        let mut upkeep_at = Instant::now();
        let mut stopped = false;
        while !stopped {
            let pause = stop.run_until_cancelled(sleep(limits::PUSH_LOG_EVERY));
            stopped = pause.await.is_none();
            let is_due = upkeep_at <= Instant::now();
            if is_due {
                upkeep_at = Instant::now() + limits::PUSH_LOG_UPKEEP;
            }
            if let Err(error) = self.write(is_due).await {
                tracing::warn!(error = %chassis::chain(&error), "the push log cannot be written, or what is old in it not be deleted");
            }
        }
    }

    async fn write(&self, forget: bool) -> Result<(), sqlx::Error> {
        let pushed = self.log.take();
        if pushed.is_empty() && !forget {
            return Ok(());
        }
        let writing = async {
            let mut connection = self.pool.acquire().await?;
            push_log::append(&mut connection, &self.replica, &pushed).await?;
            if forget {
                push_log::forget(&mut connection).await?;
            }
            Ok(())
        };
        timeout(limits::PUSH_LOG_TIMEOUT, writing)
            .await
            .unwrap_or_else(|elapsed| Err(sqlx::Error::Io(elapsed.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_that_took_the_same_version_are_one_entry_with_the_first_instant() {
        let log = PushLog::default();
        let (order, first) = (OrderId::new(), OffsetDateTime::UNIX_EPOCH);
        log.note(order, 1, first);
        log.note(order, 1, first + time::Duration::SECOND);
        log.note(order, 2, first);
        let mut taken = log.take();
        taken.sort_by_key(|it| it.version);
        let told: Vec<_> = taken
            .iter()
            .map(|it| (it.version, it.at, it.sockets))
            .collect();
        assert_eq!(told, [(1, first, 2), (2, first, 1)]);
        assert!(log.take().is_empty(), "each is taken once");
    }

    #[test]
    fn what_waits_is_bounded_and_what_is_known_is_still_counted() {
        let log = PushLog::default();
        let known = OrderId::new();
        log.note(known, 1, OffsetDateTime::UNIX_EPOCH);
        for _ in 0..limits::PUSH_LOG_WAITING_MAX {
            log.note(OrderId::new(), 1, OffsetDateTime::UNIX_EPOCH);
        }
        log.note(known, 1, OffsetDateTime::UNIX_EPOCH);
        let taken = log.take();
        assert_eq!(taken.len(), limits::PUSH_LOG_WAITING_MAX);
        let known = taken.iter().find(|it| it.order_id == known).unwrap();
        assert_eq!(known.sockets, 2);
    }
}
