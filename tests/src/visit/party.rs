//! Several customers who visit together.

use std::{sync::Arc, time::Duration};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Counters, Visit, person};
use crate::{Entrance, entrance::Addresses};

/// Customers who order until they are asked to leave.
#[derive(Debug)]
pub struct Party {
    counters: Arc<Counters>,
    over: CancellationToken,
    people: JoinSet<()>,
}

impl Party {
    /// `customers` people with user ids from `first_user` on, each with connections of its own and so long between two
    /// orders.
    #[must_use]
    pub fn come(addresses: &Addresses, first_user: i64, customers: usize, every: Duration) -> Self {
        let (counters, over) = (Arc::<Counters>::default(), CancellationToken::new());
        let mut people = JoinSet::new();
        for user_id in (first_user..).take(customers) {
            let entrance = Entrance::new(addresses.clone());
            let (counters, over) = (Arc::clone(&counters), over.clone());
            people.spawn(person::visit(entrance, user_id, every, counters, over));
        }
        Self {
            counters,
            over,
            people,
        }
    }

    /// What they have seen so far.
    #[must_use]
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Cancelled when they are to order no more.
    #[must_use]
    pub fn over(&self) -> &CancellationToken {
        &self.over
    }

    /// Waits until all have seen their last order end and have gone through their books.
    pub async fn all_left(mut self) -> Visit {
        let mut flaws = Vec::new();
        while let Some(ended) = self.people.join_next().await {
            // Whose books do not add up says so by a panic.
            flaws.extend(ended.err().map(|error| error.to_string()));
        }
        self.counters.so_far(flaws)
    }
}
