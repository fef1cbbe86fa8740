//! The hub: which sockets of which user are open on this replica, and a bounded buffer for each.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chassis::recent::Recent;
use contracts::{OrderId, TraceContext, UserId};
use time::OffsetDateTime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{held::Told, hold::Hold, log::PushLog};
use crate::{
    limits,
    metrics::Metrics,
    order::Order,
    storage::{changes::Contents, position::Position},
};

/// A change of an order, with the transaction that made it.
#[derive(Debug, Clone)]
pub(crate) struct Changed {
    pub(crate) xid: u64,
    pub(crate) order: Order,
    /// The span that made the change, if its trace is recorded.
    pub(crate) trace: Option<TraceContext>,
}

/// Changes of one user's orders. `reached` is the place in the history where all changes up to it have been delivered;
/// none in the middle of a large difference.
#[derive(Debug, Clone)]
pub(crate) struct Update {
    pub(crate) changes: Arc<[Changed]>,
    pub(crate) reached: Option<Arc<Position>>,
}

/// All open sockets of this replica.
#[derive(Debug)]
pub(crate) struct Hub {
    sockets: Mutex<Sockets>,
    /// What never changes about recent orders, so that the tail need not ask the database for it at each change: intake
    /// puts in what it has committed, the tail what it had to read.
    recent: Recent<OrderId, Arc<Contents>>,
    following: watch::Sender<bool>,
    /// Places of clients over server-sent events.
    server_sent: Arc<Semaphore>,
    metrics: Metrics,
    log: Arc<PushLog>,
    hold: Hold,
}

#[derive(Debug, Default)]
struct Sockets {
    by_user: HashMap<UserId, Vec<Entry>>,
    open: usize,
    next_number: u64,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    updates: mpsc::Sender<Update>,
    cut: CancellationToken,
}

/// Whose sockets are as many as allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TooMany {
    /// The user's.
    OfUser,
    /// The replica's.
    OfReplica,
}

/// A socket's place in the hub, given up when dropped.
#[derive(Debug)]
pub(crate) struct Subscription {
    hub: Arc<Hub>,
    user_id: UserId,
    number: u64,
    /// What the tail delivers.
    pub(crate) updates: mpsc::Receiver<Update>,
    /// Cancelled when the stream broke for this socket: it was too slow, or the tail lost its place.
    pub(crate) cut: CancellationToken,
}

impl Hub {
    pub(crate) fn new(metrics: Metrics) -> Arc<Self> {
        Arc::new(Self {
            sockets: Mutex::default(),
            recent: Recent::new(limits::RECENT_ORDERS),
            following: watch::Sender::new(false),
            server_sent: Arc::new(Semaphore::new(limits::SERVER_SENT_PER_REPLICA)),
            metrics,
            log: Arc::default(),
            hold: Hold::default(),
        })
    }

    /// What sockets took and is not written down yet.
    pub(crate) const fn log(&self) -> &Arc<PushLog> {
        &self.log
    }

    /// How long a new order waits to be told.
    pub(crate) const fn hold(&self) -> &Hold {
        &self.hold
    }

    /// Registers a socket: from now on it misses nothing that the tail delivers.
    pub(crate) fn subscribe(self: &Arc<Self>, user_id: UserId) -> Result<Subscription, TooMany> {
        let mut sockets = self.lock();
        if sockets.open >= limits::SOCKETS_PER_REPLICA {
            return Err(TooMany::OfReplica);
        }
        let number = sockets.next_number;
        let entries = sockets.by_user.entry(user_id).or_default();
        if entries.len() >= limits::SOCKETS_PER_USER {
            return Err(TooMany::OfUser);
        }
        let (sender, updates) = mpsc::channel(limits::SOCKET_BUFFER_FRAMES);
        let cut = CancellationToken::new();
        entries.push(Entry {
            number,
            updates: sender,
            cut: cut.clone(),
        });
        sockets.next_number += 1;
        sockets.open += 1;
        self.metrics.sockets.inc();
        Ok(Subscription {
            hub: Arc::clone(self),
            user_id,
            number,
            updates,
            cut,
        })
    }

    /// A place for a client over server-sent events, given up when dropped.
    pub(crate) fn server_sent_place(&self) -> Result<OwnedSemaphorePermit, TooMany> {
        let places = Arc::clone(&self.server_sent);
        places.try_acquire_owned().map_err(|_| TooMany::OfReplica)
    }

    /// Whether any socket of this user is open.
    pub(crate) fn watches(&self, user_id: UserId) -> bool {
        self.lock().by_user.contains_key(&user_id)
    }

    /// The contents of recent orders.
    pub(crate) const fn recent(&self) -> &Recent<OrderId, Arc<Contents>> {
        &self.recent
    }

    /// Hands an update to every socket of the user. Who has no room left is cut: it comes again and resumes.
    pub(crate) fn deliver(&self, user_id: UserId, update: &Update) {
        let sockets = self.lock();
        for entry in sockets.by_user.get(&user_id).into_iter().flatten() {
            if entry.updates.try_send(update.clone()).is_err() {
                entry.cut.cancel();
            }
        }
    }

    /// Says that the tail has a place in the history: what is committed from now on will be delivered. Sockets that
    /// followed a former place are cut: what lies between the two places will not be delivered.
    pub(crate) fn tail_has_a_place(&self) {
        let had_one = self.following.send_replace(true);
        if had_one {
            for entry in self.lock().by_user.values().flatten() {
                entry.cut.cancel();
            }
        }
    }

    /// The lock is held for a few instructions without a panic in them; a poisoned one still holds sound entries.
    fn lock(&self) -> MutexGuard<'_, Sockets> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscription {
    /// Whose socket it is.
    pub(crate) const fn user_id(&self) -> UserId {
        self.user_id
    }

    /// What is measured of sockets.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.hub.metrics
    }

    /// How long a new order may wait to be told.
    pub(crate) fn hold(&self) -> Duration {
        self.hub.hold.get()
    }

    /// The client took these states.
    pub(crate) fn took(&self, states: &[Told]) {
        let now = OffsetDateTime::now_utc();
        for told in states {
            self.hub.metrics.pushed(told.taken_at, told.trace);
            self.hub.log.note(told.order_id, told.version, now);
        }
    }

    /// Waits until the tail has its place. A snapshot read earlier could miss what was committed in between.
    pub(crate) async fn tail_follows(&self) {
        // The sender lives as long as the hub: the wait can only end well.
        let _ = self
            .hub
            .following
            .subscribe()
            .wait_for(|following| *following)
            .await;
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut sockets = self.hub.lock();
        sockets.open -= 1;
        if let Some(entries) = sockets.by_user.get_mut(&self.user_id) {
            entries.retain(|entry| entry.number != self.number);
            if entries.is_empty() {
                sockets.by_user.remove(&self.user_id);
            }
        }
        self.hub.metrics.sockets.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: i64) -> UserId {
        UserId::try_from(id).unwrap()
    }

    fn update() -> Update {
        Update {
            changes: Arc::new([]),
            reached: None,
        }
    }

    #[test]
    fn a_user_has_at_most_five_sockets_and_gets_a_place_back() {
        let hub = Hub::new(Metrics::default());
        let mut held: Vec<_> = (0..limits::SOCKETS_PER_USER)
            .map(|_| hub.subscribe(user(1)).unwrap())
            .collect();
        assert_eq!(hub.subscribe(user(1)).unwrap_err(), TooMany::OfUser);
        assert!(hub.subscribe(user(2)).is_ok());
        held.pop();
        assert!(hub.subscribe(user(1)).is_ok());
    }

    #[test]
    fn a_replica_holds_a_bounded_number_of_sockets() {
        let hub = Hub::new(Metrics::default());
        let mut held: Vec<_> = (1..=limits::SOCKETS_PER_REPLICA)
            .map(|id| hub.subscribe(user(id.try_into().unwrap())).unwrap())
            .collect();
        let newcomer = user(i64::MAX);
        assert_eq!(hub.subscribe(newcomer).unwrap_err(), TooMany::OfReplica);
        held.pop();
        assert!(hub.subscribe(newcomer).is_ok());
    }

    #[test]
    fn requests_keep_connections_whoever_takes_server_sent_events() {
        let hub = Hub::new(Metrics::default());
        let mut held: Vec<_> = (0..limits::SERVER_SENT_PER_REPLICA)
            .map(|_| hub.server_sent_place().unwrap())
            .collect();
        assert_eq!(hub.server_sent_place().unwrap_err(), TooMany::OfReplica);
        held.pop();
        assert!(hub.server_sent_place().is_ok());
        const { assert!(2 * limits::SERVER_SENT_PER_REPLICA < chassis::serve::CONNECTIONS_MAX) };
    }

    #[test]
    fn an_update_reaches_its_user_only() {
        let hub = Hub::new(Metrics::default());
        let mut mine = hub.subscribe(user(1)).unwrap();
        let mut theirs = hub.subscribe(user(2)).unwrap();
        hub.deliver(user(1), &update());
        assert!(mine.updates.try_recv().is_ok());
        assert!(theirs.updates.try_recv().is_err());
    }

    #[test]
    fn a_slow_socket_is_cut_and_the_others_are_not() {
        let hub = Hub::new(Metrics::default());
        let slow = hub.subscribe(user(1)).unwrap();
        let mut quick = hub.subscribe(user(1)).unwrap();
        for _ in 0..limits::SOCKET_BUFFER_FRAMES {
            hub.deliver(user(1), &update());
            quick.updates.try_recv().unwrap();
        }
        assert!(!slow.cut.is_cancelled());
        hub.deliver(user(1), &update());
        assert!(slow.cut.is_cancelled());
        assert!(!quick.cut.is_cancelled());
    }

    #[test]
    fn a_closed_socket_is_forgotten() {
        let hub = Hub::new(Metrics::default());
        drop(hub.subscribe(user(1)).unwrap());
        assert!(!hub.watches(user(1)));
    }
}
