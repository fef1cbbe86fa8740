//! The number of undecided orders, counted by the tail from the rows it reads anyway.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::order::Order;

/// The number of orders that are NEW in the whole database, exact at the place the tail has reached.
#[derive(Debug, Default)]
pub(crate) struct Undecided {
    count: AtomicI64,
    decided: AtomicU64,
}

/// What a number of status changes does to the count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    placed: u32,
    decided: u32,
}

impl Tally {
    /// Takes a row of the status history into account, by its version: an order is placed under the first and decided
    /// under the second; what may come later changes a decided order.
    pub(crate) const fn add(&mut self, version: i32) {
        if version == Order::FIRST_VERSION {
            self.placed += 1;
        } else if version == Order::FIRST_VERSION + 1 {
            self.decided += 1;
        }
    }
}

impl Undecided {
    /// Begins anew with what was counted in the snapshot the tail starts from.
    pub(crate) fn begin(&self, count: i64) {
        self.count.store(count, Ordering::Relaxed);
    }

    /// The tail has moved past these changes.
    pub(crate) fn apply(&self, tally: Tally) {
        let change = i64::from(tally.placed) - i64::from(tally.decided);
        self.count.fetch_add(change, Ordering::Relaxed);
        self.decided
            .fetch_add(u64::from(tally.decided), Ordering::Relaxed);
    }

    /// How many there are. Never below zero, which it could fall to had the first count been cut off at its limit.
    pub(crate) fn count(&self) -> i64 {
        self.count.load(Ordering::Relaxed).max(0)
    }

    /// How many decisions this process has seen: it grows as long as orders are decided at all.
    pub(crate) fn decided(&self) -> u64 {
        self.decided.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_counts_from_its_first_version_to_its_second() {
        let undecided = Undecided::default();
        undecided.begin(10);
        let mut tally = Tally::default();
        for version in [1, 1, 2, 1, 3, 4] {
            tally.add(version);
        }
        undecided.apply(tally);
        assert_eq!((undecided.count(), undecided.decided()), (12, 1));
        undecided.begin(0);
        undecided.apply(Tally {
            placed: 0,
            decided: 3,
        });
        assert_eq!(undecided.count(), 0);
    }
}
