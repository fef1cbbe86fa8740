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
    let opened = opening.position.clone();
    if peer.send(&snapshot(opening)).await.is_err() {
        return End::Gone;
    }
    tell_changes(peer, subscription, &opened).await
}

/// Tells what the tail delivers, without what the opening saw.
async fn tell_changes<P: Peer>(
    peer: &mut P,
    subscription: &mut Subscription,
    opened: &Position,
) -> End {
    let mut sent = opened.clone();
    let mut pulse = Pulse::new();
    let mut held = Held::new(P::PROTOCOL);
    loop {
        match next(peer, subscription, &mut pulse, held.until()).await {
            Ok(Woken::Update(update)) => {
                if let Some(due) = held.make_room(&update, &sent)
                    && tell(peer, due, subscription).await.is_err()
                {
                    return End::Gone;
                }
                held.take_in(update, opened, &mut sent);
            }
            Ok(Woken::Due) => held.release(),
            Ok(Woken::Beat) => {
                if peer.send(&beat(&sent)).await.is_err() {
                    return End::Gone;
                }
            }
            Err(end) => return end,
        }
        if let Some(due) = held.frame(&sent)
            && tell(peer, due, subscription).await.is_err()
        {
            return End::Gone;
        }
    }
}

/// What a stream wakes up for.
#[derive(Debug)]
pub(crate) enum Woken {
    /// The tail has something to tell.
    Update(Update),
    /// The instant has come.
    Due,
    /// The peer was pinged. A page does not see that, and has to be told in a frame.
    Beat,
}

/// Waits for the next update, until an instant if one is given, and meanwhile keeps the connection alive and notices its
/// end.
pub(crate) async fn next<P: Peer>(
    peer: &mut P,
    subscription: &mut Subscription,
    pulse: &mut Pulse,
    until: Option<Instant>,
) -> Result<Woken, End> {
    // Polled only if there is an instant to wait for.
    let up = sleep_until(until.unwrap_or_else(Instant::now));
    tokio::pin!(up);
    loop {
        tokio::select! {
            update = subscription.updates.recv() => return update.map(Woken::Update).ok_or(End::TryAgain),
            () = &mut up, if until.is_some() => return Ok(Woken::Due),
            heard = peer.listen() => heard.map(|()| pulse.hear())?,
            beat = pulse.beat() => match beat {
                Beat::Ping => return peer.ping(pulse).await.map(|()| Woken::Beat),
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

/// That nothing has changed: a stream that is silent for longer than between two of these is dead.
fn beat(sent: &Position) -> Frame {
    Frame::Changes {
        cursor: cursor::encode(sent),
        orders: Vec::new(),
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

#[cfg(test)]
mod tests {
    use contracts::UserId;

    use super::*;
    use crate::{metrics::Metrics, push::hub::Hub};

    /// A client that answers every ping, until it has had enough frames.
    #[derive(Debug, Default)]
    struct Played {
        frames: Vec<(Instant, String)>,
    }

    impl Peer for Played {
        const PROTOCOL: &str = "played";

        async fn send(&mut self, frame: &Frame) -> Result<(), End> {
            self.frames.push((Instant::now(), frame.to_json()));
            Ok(())
        }

        async fn ping(&mut self, pulse: &mut Pulse) -> Result<(), End> {
            pulse.hear();
            Ok(())
        }

        async fn listen(&mut self) -> Result<(), End> {
            if self.frames.len() >= 3 {
                return Err(End::Gone);
            }
            std::future::pending().await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_with_nothing_to_tell_says_so_every_twenty_seconds() {
        let hub = Hub::new(Metrics::default());
        let mut subscription = hub.subscribe(UserId::try_from(1).unwrap()).unwrap();
        let opened = Position {
            system_identifier: 7,
            snapshot: "10:20:12".parse().unwrap(),
        };
        let begun = Instant::now();
        let mut peer = Played::default();
        let end = tell_changes(&mut peer, &mut subscription, &opened).await;
        assert_eq!(end, End::Gone);
        let cursor = cursor::encode(&opened);
        for (beat, (at, frame)) in (1..).zip(&peer.frames) {
            assert_eq!((*at - begun).as_secs(), 20 * beat);
            let said = format!(r#"{{"type":"changes","cursor":"{cursor}","orders":[]}}"#);
            assert_eq!(*frame, said);
        }
        assert_eq!(peer.frames.len(), 3);
    }
}
