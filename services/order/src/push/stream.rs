//! One event stream: opening, then changes, until either side ends it.

use messaging::pool::Pool;
use time::OffsetDateTime;
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
    pub(crate) pool: Pool,
    pub(crate) cursor: Option<Position>,
    pub(crate) stop: CancellationToken,
}

/// What a stream waited for.
#[derive(Debug)]
pub(crate) enum Turn {
    /// Something changed.
    Changed(Update),
    /// The time is up.
    Up,
    /// The client was pinged.
    Pinged,
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
    pool: &Pool,
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
    go_on(peer, subscription, &opened).await
}

/// Tells what changes after the opening, and that nothing does.
async fn go_on<P: Peer>(peer: &mut P, subscription: &mut Subscription, opened: &Position) -> End {
    let mut sent = opened.clone();
    let mut pulse = Pulse::new();
    let mut held = Held::new(P::PROTOCOL);
    loop {
        match next(peer, subscription, &mut pulse, held.until()).await {
            Ok(Turn::Changed(update)) => {
                if let Some(due) = held.make_room(&update, &sent)
                    && tell(peer, due, subscription).await.is_err()
                {
                    return End::Gone;
                }
                let now = OffsetDateTime::now_utc();
                held.take_in(update, opened, &mut sent, subscription.hold(), now);
            }
            Ok(Turn::Up) => held.release(),
            Ok(Turn::Pinged) => {
                if peer.send(&Frame::Beat).await.is_err() {
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

/// Waits for the next update, until an instant if one is given, and meanwhile pings the client and notices its end.
pub(crate) async fn next<P: Peer>(
    peer: &mut P,
    subscription: &mut Subscription,
    pulse: &mut Pulse,
    until: Option<Instant>,
) -> Result<Turn, End> {
    // Polled only if there is an instant to wait for.
    let up = sleep_until(until.unwrap_or_else(Instant::now));
    tokio::pin!(up);
    loop {
        tokio::select! {
            update = subscription.updates.recv() => return update.map(Turn::Changed).ok_or(End::TryAgain),
            () = &mut up, if until.is_some() => return Ok(Turn::Up),
            heard = peer.listen() => heard.map(|()| pulse.hear())?,
            beat = pulse.beat() => match beat {
                Beat::Ping => return peer.ping(pulse).await.map(|()| Turn::Pinged),
                Beat::Dead => return Err(End::Gone),
            },
        }
    }
}

/// Reads the opening, once the tail has its place; none if the database cannot say.
async fn open(
    subscription: &Subscription,
    pool: &Pool,
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use contracts::UserId;
    use tokio::time::Instant;

    use super::*;
    use crate::{metrics::Metrics, push::hub::Hub};

    /// A client that answers every ping, up to some frame.
    struct Listener {
        begun: Instant,
        heard: Vec<(u64, String)>,
        leaves_after: usize,
    }

    impl Peer for Listener {
        const PROTOCOL: &str = "websocket";

        async fn send(&mut self, frame: &Frame) -> Result<(), End> {
            if self.heard.len() == self.leaves_after {
                return Err(End::Gone);
            }
            self.heard
                .push((self.begun.elapsed().as_secs(), frame.to_json()));
            Ok(())
        }

        async fn ping(&mut self, pulse: &mut Pulse) -> Result<(), End> {
            pulse.hear();
            Ok(())
        }

        async fn listen(&mut self) -> Result<(), End> {
            std::future::pending().await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_stream_says_every_twenty_seconds_that_it_lives() {
        let hub = Hub::new(Metrics::default());
        let user_id = UserId::try_from(1).unwrap();
        let mut subscription = hub.subscribe(user_id).unwrap();
        let mut peer = Listener {
            begun: Instant::now(),
            heard: Vec::new(),
            leaves_after: 3,
        };
        let opened = Position {
            system_identifier: 7,
            snapshot: "10:20:".parse().unwrap(),
        };
        let going_on = go_on(&mut peer, &mut subscription, &opened);
        let end = timeout(Duration::from_mins(2), going_on).await;
        assert_eq!(end, Ok(End::Gone));
        let beat = r#"{"type":"beat"}"#;
        let beats = [20, 40, 60].map(|second| (second, beat.to_owned()));
        assert_eq!(peer.heard, beats);
    }
}
