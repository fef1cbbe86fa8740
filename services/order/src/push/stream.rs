//! One event stream: opening, then changes, until either side ends it.

use messaging::metrics::MeasuredPool;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::{
    cursor,
    frame::Frame,
    held::{Due, Held},
    hub::{Subscription, Update},
    opening::{self, Opening},
    peer::{End, Peer},
    pulse::{Beat, Pulse},
    span,
};
use crate::{api::view::OrderView, limits, storage::position::Position};

/// Where a stream reads, where it resumes and when it stops.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) pool: MeasuredPool,
    pub(crate) cursor: Option<Position>,
    pub(crate) stop: CancellationToken,
}

/// Serves a registered client to the end of its stream, and counts that end.
pub(crate) async fn serve<P: Peer>(
    peer: &mut P,
    subscription: &mut Subscription,
    source: Source,
) -> End {
    let Source { pool, cursor, stop } = source;
    let cut = subscription.cut.clone();
    let follow = follow(peer, subscription, &pool, cursor);
    let end = until_cut_off(&stop, &cut, follow).await;
    subscription.metrics().closed(end);
    end
}

/// The end of a stream, whoever brings it about.
pub(crate) async fn until_cut_off(
    stop: &CancellationToken,
    cut: &CancellationToken,
    stream: impl Future<Output = End>,
) -> End {
    tokio::select! {
        biased;
        () = stop.cancelled() => End::Stopping,
        () = cut.cancelled() => End::TryAgain,
        end = stream => end,
    }
}

async fn follow<P: Peer>(
    peer: &mut P,
    subscription: &mut Subscription,
    pool: &MeasuredPool,
    cursor: Option<Position>,
) -> End {
    // Apart, so that what it takes to read is given back before the long wait: one future is as large as its largest part.
    let opening = Box::pin(open(subscription, pool, cursor.as_ref()));
    let Some(opening) = opening.await else {
        return End::TryAgain;
    };
    let mut sent = opening.position.clone();
    let opened = opening.position.clone();
    if peer.send(&snapshot(opening)).await.is_err() {
        return End::Gone;
    }
    let mut pulse = Pulse::new();
    let mut held = Held::new(P::PROTOCOL);
    loop {
        match next(peer, subscription, &mut pulse, held.until()).await {
            Ok(Some(update)) => {
                if let Some(due) = held.make_room(&update, &sent)
                    && tell(peer, due, subscription).await.is_err()
                {
                    return End::Gone;
                }
                held.take_in(update, &opened, &mut sent);
            }
            Ok(None) => held.release(),
            Err(end) => return end,
        }
        if let Some(due) = held.frame(&sent)
            && tell(peer, due, subscription).await.is_err()
        {
            return End::Gone;
        }
    }
}

/// Waits for the next update, until an instant if one is given, and meanwhile keeps the connection alive and notices its
/// end.
pub(crate) async fn next<P: Peer>(
    peer: &mut P,
    subscription: &mut Subscription,
    pulse: &mut Pulse,
    until: Option<Instant>,
) -> Result<Option<Update>, End> {
    // Polled only if there is an instant to wait for.
    let up = sleep_until(until.unwrap_or_else(Instant::now));
    tokio::pin!(up);
    loop {
        tokio::select! {
            update = subscription.updates.recv() => return update.map(Some).ok_or(End::TryAgain),
            () = &mut up, if until.is_some() => return Ok(None),
            heard = peer.listen() => heard.map(|()| pulse.hear())?,
            beat = pulse.beat() => match beat {
                Beat::Ping => peer.ping(pulse).await?,
                Beat::Dead => return Err(End::Gone),
            },
        }
    }
}

/// Reads the opening, once the tail has its place; none if the database cannot say.
async fn open(
    subscription: &Subscription,
    pool: &MeasuredPool,
    cursor: Option<&Position>,
) -> Option<Opening> {
    timeout(limits::TAIL_START_TIMEOUT, subscription.tail_follows())
        .await
        .ok()?;
    match opening::read(pool, subscription.user_id(), cursor).await {
        Ok(opening) => Some(opening),
        Err(error) => {
            tracing::warn!(error = %chassis::chain(&error), "a socket could not read its orders");
            None
        }
    }
}

fn snapshot(opening: Opening) -> Frame {
    Frame::Snapshot {
        cursor: cursor::encode(&opening.position),
        resumed: opening.resumed,
        orders: opening.orders.into_iter().map(OrderView::from).collect(),
    }
}

async fn tell<P: Peer>(peer: &mut P, due: Due, subscription: &Subscription) -> Result<(), End> {
    let sent = peer.send(&due.frame).await;
    if sent.is_ok() {
        subscription.took(&due.told);
    }
    span::end(due.spans, &sent);
    sent
}
