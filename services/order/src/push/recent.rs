//! What never changes about recent orders, kept so that the tail need not ask the database for it at each change.
//!
//! Intake puts in what it has committed, and the tail what it had to read; whatever is missing is read. Entries live in
//! two generations: when the younger one is full it becomes the older one, and what the older one held is forgotten.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use contracts::OrderId;

use crate::{limits, storage::changes::Contents};

/// The contents of recent orders.
#[derive(Debug, Default)]
pub(crate) struct Recent(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    younger: HashMap<OrderId, Arc<Contents>>,
    older: HashMap<OrderId, Arc<Contents>>,
}

impl Recent {
    /// Keeps contents for a while.
    pub(crate) fn keep(&self, contents: impl IntoIterator<Item = (OrderId, Arc<Contents>)>) {
        let mut generations = self.lock();
        for (id, contents) in contents {
            if generations.younger.len() >= limits::RECENT_ORDERS / 2 {
                generations.older = std::mem::take(&mut generations.younger);
            }
            generations.younger.insert(id, contents);
        }
    }

    /// The contents of those of the orders that are known.
    pub(crate) fn of(
        &self,
        ids: impl IntoIterator<Item = OrderId>,
    ) -> HashMap<OrderId, Arc<Contents>> {
        let generations = self.lock();
        let known = |id: OrderId| {
            let younger = generations.younger.get(&id);
            let contents = younger.or_else(|| generations.older.get(&id))?;
            Some((id, Arc::clone(contents)))
        };
        ids.into_iter().filter_map(known).collect()
    }

    /// Nothing under this lock can panic; a poisoned cache would still hold sound entries.
    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use contracts::Money;
    use time::OffsetDateTime;

    use super::*;

    fn contents(number: i64) -> Arc<Contents> {
        Arc::new(Contents {
            number,
            description: "Laces".to_owned(),
            amount: Money::rub(100),
            trace_id: String::new(),
            created_at: OffsetDateTime::UNIX_EPOCH,
        })
    }

    #[test]
    fn the_newest_half_is_kept_and_all_together_are_bounded() {
        let recent = Recent::default();
        let ids: Vec<OrderId> = std::iter::repeat_with(OrderId::new)
            .take(limits::RECENT_ORDERS * 2)
            .collect();
        for (number, id) in (0..).zip(&ids) {
            recent.keep([(*id, contents(number))]);
        }
        let known = recent.of(ids.iter().copied());
        assert!(known.len() <= limits::RECENT_ORDERS, "{}", known.len());
        let newest = &ids[ids.len() - limits::RECENT_ORDERS / 2..];
        assert!(newest.iter().all(|id| known.contains_key(id)));
        assert_eq!(recent.of([OrderId::new()]).len(), 0);
    }
}
