//! The tail: reads what became visible in the status history, by the difference of two snapshots, and feeds the hub.

use std::{collections::HashMap, convert::Infallible, future::Future, sync::Arc, time::Duration};

use contracts::{OrderId, UserId};
use messaging::{
    doorbell::{Bell, Channel, Doorbell, WokenBy},
    metrics::{Operation, WakeupLabels, time},
    topology::ORDER_PAYMENTS,
};
use prometheus_client::metrics::histogram::Histogram;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::hub::{Changed, Hub, Update};
use crate::{
    limits,
    load::{Load, Tally, Undecided},
    order::Order,
    status::Status,
    storage::{
        changes::{self, Change, Contents},
        position::{self, Position},
        undecided::present_and_undecided,
    },
};

/// The SQLSTATE of a statement that ran into its time limit.
const QUERY_CANCELED: &str = "57014";

/// The reader of the status history; one per process.
#[derive(Debug)]
pub struct Tail {
    hub: Arc<Hub>,
    load: Arc<Load>,
    pool: PgPool,
    bell: Bell,
    metrics: messaging::metrics::Metrics,
    durations: Histogram,
}

impl Tail {
    pub(crate) fn new(
        hub: Arc<Hub>,
        load: Arc<Load>,
        pool: PgPool,
        doorbell: &Doorbell,
        metrics: messaging::metrics::Metrics,
    ) -> Self {
        Self {
            hub,
            load,
            pool,
            bell: doorbell.bell(),
            durations: metrics
                .database
                .operation(ORDER_PAYMENTS.database, Operation::Tail),
            metrics,
        }
    }

    /// Follows the history until stopped. An outage of the database only delays it: the place in the history outlives
    /// the connection.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut place = None;
        let follow = async {
            let (first_pause, longest_pause) = limits::TAIL_RETRY;
            let mut pause = first_pause;
            loop {
                let Err(error) = self.follow(&mut place, &mut pause).await;
                tracing::warn!(error = %chassis::chain(&error), "the tail of the status history was interrupted");
                if is_timeout(&error) {
                    // Asking for the same again would take as long again; the sockets can resume one by one.
                    place = None;
                }
                sleep(pause).await;
                pause = (pause * 2).min(longest_pause);
            }
        };
        let _: Option<Infallible> = stop.run_until_cancelled(follow).await;
    }

    /// Follows over one connection, until it fails.
    async fn follow(
        &mut self,
        place: &mut Option<Position>,
        pause: &mut Duration,
    ) -> Result<Infallible, sqlx::Error> {
        let mut connection = self.pool.acquire().await?;
        let present = in_time(position::present(&mut connection)).await?;
        let place = match place {
            Some(place) if place.is_at_or_before(&present) => place,
            lost => {
                // The first start, or a restored database: whoever reads its opening from now on, reads it after this.
                let counted = present_and_undecided(&mut connection, limits::UNDECIDED_COUNTED_MAX);
                let (present, undecided) = in_time(counted).await?;
                self.load.undecided().begin(undecided);
                let place = lost.insert(present);
                self.hub.tail_has_a_place();
                place
            }
        };
        let mut woken_by = WokenBy::Poll;
        loop {
            let begun = Instant::now();
            let step = step(
                &self.hub,
                self.load.undecided(),
                &mut connection,
                place,
                limits::TAIL_PAGE_ROWS,
            );
            let found = time(&self.durations, in_time(step)).await?;
            if found > 0 {
                self.count(woken_by);
            }
            (*pause, _) = limits::TAIL_RETRY;
            woken_by = self.bell.wait(limits::TAIL_POLL).await;
            sleep_until(begun + limits::TAIL_PACE).await;
        }
    }

    fn count(&self, source: WokenBy) {
        let labels = WakeupLabels {
            channel: Channel::StatusHistory,
            source,
        };
        self.metrics.wakeups.get_or_create(&labels).inc();
    }
}

/// Reads and delivers everything that became visible since `place`, and moves it there. Says how many changes it was.
/// A difference larger than a page is pinned to the snapshot of its first page, and read page by page up to it.
pub(crate) async fn step(
    hub: &Hub,
    undecided: &Undecided,
    connection: &mut PgConnection,
    place: &mut Position,
    page_rows: i64,
) -> Result<usize, sqlx::Error> {
    let changes::Difference {
        changes: mut page,
        is_large,
        snapshot,
    } = changes::read_since(connection, &place.snapshot, page_rows).await?;
    let reached = Arc::new(Position {
        system_identifier: place.system_identifier,
        snapshot,
    });
    let (since, until) = (&place.snapshot, &reached.snapshot);
    if is_large {
        page = changes::read_page(connection, since, until, None, page_rows).await?;
    }
    let mut last_xid = place.last_xid();
    let mut found = 0;
    let mut tally = Tally::default();
    loop {
        found += page.len();
        for change in &page {
            tally.add(change.version);
            last_xid = last_xid.max(change.xid);
        }
        let is_full = i64::try_from(page.len()).is_ok_and(|rows| rows >= page_rows);
        let next = match page.iter().map(|change| change.xid).max() {
            after @ Some(_) if is_large && is_full => {
                changes::read_page(connection, since, until, after, page_rows).await?
            }
            _ => Vec::new(),
        };
        // Only with the last page is everything up to `reached` delivered.
        let is_last = next.is_empty();
        deliver(hub, connection, page, is_last.then_some(&reached)).await?;
        if is_last {
            break;
        }
        page = next;
    }
    // Together with the place: a step that fails is taken again from the same one.
    undecided.apply(tally);
    *place = reached.up_to(last_xid);
    Ok(found)
}

/// Hands changes to the sockets of their users. Who registers after this looked reads its opening after these changes
/// became visible, and so finds them there.
async fn deliver(
    hub: &Hub,
    connection: &mut PgConnection,
    page: Vec<Change>,
    reached: Option<&Arc<Position>>,
) -> Result<(), sqlx::Error> {
    let watched: Vec<Change> = page
        .into_iter()
        .filter(|change| hub.watches(change.user_id))
        .collect();
    if watched.is_empty() {
        return Ok(());
    }
    let contents = contents(hub, connection, &watched).await?;
    let decided = decided(connection, &watched).await?;
    let mut by_user: HashMap<UserId, Vec<Changed>> = HashMap::new();
    for change in watched {
        if let Some(contents) = contents.get(&change.order_id) {
            if change.version == Order::FIRST_VERSION + 1 {
                // Below zero where two clocks differ.
                let took = change.at - contents.created_at;
                hub.hold().learn(took.try_into().unwrap_or_default());
            }
            by_user
                .entry(change.user_id)
                .or_default()
                .push(changed(&change, contents, &decided));
        }
    }
    for (user_id, changes) in by_user {
        let mut frames = changes.chunks(limits::FRAME_ORDERS_MAX).peekable();
        while let Some(frame) = frames.next() {
            let reached = reached.filter(|_| frames.peek().is_none()).cloned();
            hub.deliver(
                user_id,
                &Update {
                    changes: frame.into(),
                    reached,
                },
            );
        }
    }
    Ok(())
}

/// The contents of the changed orders that exist: those at hand, and the rest from the database.
async fn contents(
    hub: &Hub,
    connection: &mut PgConnection,
    changes: &[Change],
) -> Result<HashMap<OrderId, Arc<Contents>>, sqlx::Error> {
    let ids = changes.iter().map(|change| change.order_id);
    let mut contents: HashMap<OrderId, Arc<Contents>> = ids
        .filter_map(|id| Some((id, hub.recent().get(&id)?)))
        .collect();
    let missing: Vec<Uuid> = changes
        .iter()
        .filter(|change| !contents.contains_key(&change.order_id))
        .map(|change| change.order_id.as_uuid())
        .collect();
    if !missing.is_empty() {
        for (id, read) in changes::contents(connection, &missing).await? {
            let read = Arc::new(read);
            hub.recent().keep(id, Arc::clone(&read));
            contents.insert(id, read);
        }
    }
    Ok(contents)
}

/// When those of the changed orders were decided that have changed since: few, and no other change says so itself.
async fn decided(
    connection: &mut PgConnection,
    changes: &[Change],
) -> Result<HashMap<OrderId, OffsetDateTime>, sqlx::Error> {
    let ids: Vec<Uuid> = changes
        .iter()
        .filter(|change| change.version > Order::FIRST_VERSION + 1)
        .map(|change| change.order_id.as_uuid())
        .collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    changes::decided_at(connection, &ids).await
}

/// The order as it was at a change.
fn changed(
    change: &Change,
    contents: &Contents,
    decided: &HashMap<OrderId, OffsetDateTime>,
) -> Changed {
    let decided_at = match change.status {
        Status::New => None,
        Status::Finished | Status::Refunding | Status::Cancelled => {
            Some(decided.get(&change.order_id).copied().unwrap_or(change.at))
        }
    };
    let order = Order {
        id: change.order_id,
        number: contents.number,
        user_id: change.user_id,
        description: contents.description.clone(),
        amount: contents.amount,
        status: change.status,
        reason: change.reason,
        version: change.version,
        trace_id: contents.trace_id.clone(),
        created_at: contents.created_at,
        decided_at,
    };
    Changed {
        xid: change.xid,
        order,
        trace: change.trace,
    }
}

/// A read in bounded time, whatever the network does.
async fn in_time<T>(read: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    timeout(limits::TAIL_READ_TIMEOUT, read)
        .await
        .unwrap_or_else(|elapsed| Err(sqlx::Error::Io(std::io::Error::from(elapsed))))
}

fn is_timeout(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code == QUERY_CANCELED),
        sqlx::Error::Io(error) => error.kind() == std::io::ErrorKind::TimedOut,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
