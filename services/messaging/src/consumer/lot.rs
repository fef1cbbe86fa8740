//! Lots: where the entries of a batch come from, which decides how they are held, entered and written.

use std::time::Duration;

use sqlx::PgTransaction;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Entry, Schedule, entry::Row, halving::Evidence, settle::Fate};
use crate::{
    dead_letter::store::{self, End, NewLetter},
    deferred::{self, Deferral},
    failure::Rejection,
};

/// Where the entries of a batch come from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lot {
    /// The broker delivered them.
    Queue,
    /// They are deferred rows.
    Deferred,
    /// They are letters that an operator wants settled again.
    Letters {
        /// The oldest instant the inbox keeps: older ids have no place in it and are judged by business state alone.
        horizon: OffsetDateTime,
    },
    /// They were taken out of one letter that held a whole message.
    Opened {
        /// The letter.
        letter: i64,
        /// As in [`Self::Letters`].
        horizon: OffsetDateTime,
    },
}

impl Lot {
    /// What must be known before one of them that fails alone is set aside.
    pub(super) const fn evidence(self) -> Evidence {
        match self {
            Self::Queue => Evidence::OthersSettled,
            Self::Deferred | Self::Letters { .. } | Self::Opened { .. } => Evidence::None,
        }
    }

    /// Those of the entries that this transaction may settle: of rows, those it could take hold of.
    pub(super) async fn hold<'e, 'a, T>(
        self,
        tx: &mut PgTransaction<'_>,
        entries: &'e [Entry<'a, T>],
    ) -> Result<Vec<&'e Entry<'a, T>>, sqlx::Error> {
        let rows: Vec<i64> = entries
            .iter()
            .filter_map(|entry| entry.row.map(|row| row.id))
            .collect();
        let held = match self {
            Self::Queue => return Ok(entries.iter().collect()),
            Self::Opened { letter, .. } => {
                let held = store::hold(tx, &[letter]).await?;
                let all = if held.is_empty() { &[] } else { entries };
                return Ok(all.iter().collect());
            }
            Self::Deferred => deferred::hold(tx, &rows).await?,
            Self::Letters { .. } => store::hold(tx, &rows).await?,
        };
        let is_held = |entry: &&Entry<'a, T>| entry.row.is_some_and(|row| held.contains(&row.id));
        Ok(entries.iter().filter(is_held).collect())
    }

    /// The id and digest to enter into the inbox, if any: a deferred event is there since it was put off.
    pub(super) fn enters<T>(self, entry: &Entry<'_, T>) -> Option<(Uuid, [u8; 32])> {
        let identity = entry.identity?;
        let enters = match self {
            Self::Queue => true,
            Self::Deferred => false,
            Self::Letters { horizon } | Self::Opened { horizon, .. } => {
                is_since(identity.id, horizon)
            }
        };
        enters.then_some((identity.id, identity.digest))
    }

    /// Bounds the attempts: what may not wait any longer is a dead letter, and a letter never waits.
    pub(super) fn limit<T>(self, schedule: &Schedule, entry: &Entry<'_, T>, fate: &mut Fate<'_>) {
        let may_wait = match self {
            Self::Queue | Self::Deferred => attempts_now(entry) < schedule.max_attempts,
            Self::Letters { .. } => false,
            Self::Opened { .. } => true,
        };
        if let Fate::Later(rejection) = fate
            && !may_wait
        {
            *fate = Fate::Dead(rejection.clone());
        }
    }

    /// Writes what is not settled, and deletes or updates the rows the entries came from.
    pub(super) async fn write<T>(
        self,
        tx: &mut PgTransaction<'_>,
        queue: &str,
        schedule: &Schedule,
        held: &[&Entry<'_, T>],
        fates: &[Fate<'_>],
    ) -> Result<(), sqlx::Error> {
        let mut letters = Vec::new();
        let mut deferrals = Vec::new();
        let mut done = Vec::new();
        let mut died_again = Vec::new();
        for (entry, fate) in held.iter().zip(fates) {
            match (fate, entry.row) {
                (Fate::Settled | Fate::Duplicate, None) => {}
                (Fate::Settled | Fate::Duplicate, Some(row)) => done.push(row.id),
                (Fate::Dead(rejection), Some(row)) if self.keeps_letter(entry, row) => {
                    store::die_again(tx, row.id, rejection).await?;
                }
                (Fate::Dead(rejection), row) => {
                    letters.push(new_letter(entry, rejection));
                    died_again.extend(row.map(|row| row.id));
                }
                (Fate::Later(rejection), Some(row)) => {
                    let attempts = attempts_now(entry);
                    let delay = schedule.delay(attempts);
                    deferred::postpone(tx, row.id, attempts, delay, rejection).await?;
                }
                (Fate::Later(rejection), None) => {
                    deferrals.extend(self.deferral(schedule, entry, rejection));
                }
            }
        }
        store::write(tx, queue, &letters).await?;
        deferred::write(tx, queue, &deferrals).await?;
        match self {
            Self::Queue => Ok(()),
            Self::Opened { .. } if held.is_empty() => Ok(()),
            Self::Opened { letter, .. } => store::end(tx, &[letter], End::Settled).await,
            Self::Deferred => {
                done.extend(died_again);
                deferred::delete(tx, &done).await
            }
            Self::Letters { .. } => {
                store::end(tx, &done, End::Settled).await?;
                store::end(tx, &died_again, End::DiedAgain).await
            }
        }
    }

    /// Whether what dies again stays the letter it was. One that had no id, and was entered into the inbox under its id
    /// just now, becomes a letter with an id: only that says that the inbox row is its own.
    const fn keeps_letter<T>(self, entry: &Entry<'_, T>, row: Row) -> bool {
        matches!(self, Self::Letters { .. }) && (row.entered || entry.identity.is_none())
    }

    fn deferral<'e, T>(
        self,
        schedule: &Schedule,
        entry: &'e Entry<'_, T>,
        rejection: &'e Rejection,
    ) -> Option<Deferral<'e>> {
        let (attempts, delay) = match self {
            Self::Opened { .. } => (0, Duration::ZERO),
            _ => (1, schedule.delay(1)),
        };
        Some(Deferral {
            message_id: entry.identity?.id,
            parcel: &entry.parcel,
            rejection,
            attempts,
            delay,
        })
    }
}

fn new_letter<'e, T>(entry: &'e Entry<'_, T>, rejection: &'e Rejection) -> NewLetter<'e> {
    NewLetter {
        message_id: entry.identity.map(|identity| identity.id),
        parcel: &entry.parcel,
        rejection,
        attempts: attempts_now(entry),
    }
}

/// How often an entry was tried, this time included.
fn attempts_now<T>(entry: &Entry<'_, T>) -> i32 {
    entry.row.map_or(0, |row| row.attempts).saturating_add(1)
}

/// Whether the instant inside a `UUIDv7` is one of those the inbox keeps.
fn is_since(id: Uuid, horizon: OffsetDateTime) -> bool {
    let seconds = id.get_timestamp().map(|timestamp| timestamp.to_unix().0);
    let oldest = u64::try_from(horizon.unix_timestamp()).unwrap_or(0);
    seconds.is_some_and(|seconds| seconds >= oldest)
}
