//! One order: from its POST to the push of its end.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, bail};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    board::{Board, End},
    connection::Answer,
    crowd::Crowd,
    pool::Pool,
    recorder::{Ended, Recorder},
};

/// Everything an order's way leads through.
#[derive(Debug)]
pub(crate) struct Orders {
    pub(crate) pool: Arc<Pool>,
    pub(crate) crowd: Arc<Crowd>,
    pub(crate) board: Board,
    pub(crate) recorder: Recorder,
}

/// How the shop took an order.
#[derive(Debug, PartialEq, Eq)]
enum Taken {
    Accepted(Uuid),
    /// It is busy and says when to come again.
    Refused(Duration),
}

/// What became of one attempt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// The order's end was seen.
    Ended,
    /// The shop put it off for so long.
    Refused(Duration),
    /// It failed, and that is recorded.
    Failed,
}

/// How far an order is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follow {
    ToTheAnswer,
    ToTheEnd,
}

/// How long to stay away where a 503 does not say.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl Orders {
    pub(crate) fn new(pool: Arc<Pool>, crowd: Arc<Crowd>) -> Self {
        Self {
            pool,
            crowd,
            board: Board::default(),
            recorder: Recorder::default(),
        }
    }

    /// The end of an order was pushed: somebody waits for it, or only for so many to end.
    pub(crate) fn saw(&self, order: Uuid, end: End) {
        if !self.recorder.watched(end) {
            self.board.pushed(order, end);
        }
    }

    /// Places an order that was due at this instant and follows it, if asked to, to its end.
    pub(crate) async fn one(&self, customer: usize, due: Instant, follow: Follow) -> Attempt {
        self.recorder.began();
        let taken = self
            .pool
            .call(|request| self.crowd.write_order(customer, request), read)
            .await;
        let answered = Instant::now();
        match taken {
            Ok(Taken::Accepted(order)) => {
                let end = match follow {
                    Follow::ToTheAnswer => Some(End::unknown(answered)),
                    Follow::ToTheEnd => self.board.end_of(order).await,
                };
                let Some(end) = end else {
                    self.recorder.failed("an order was placed twice");
                    return Attempt::Failed;
                };
                self.recorder.ended(&Ended { due, answered, end });
                Attempt::Ended
            }
            Ok(Taken::Refused(pause)) => {
                self.recorder.refused();
                Attempt::Refused(pause)
            }
            Err(error) => {
                self.recorder.failed(&format!("{error:#}"));
                Attempt::Failed
            }
        }
    }
}

fn read(answer: &Answer<'_>) -> anyhow::Result<Taken> {
    match answer.status {
        201 => {
            let id = answer
                .location
                .and_then(|location| location.rsplit(|byte| *byte == b'/').next())
                .and_then(|id| Uuid::try_parse_ascii(id).ok())
                .context("a placed order has no location")?;
            Ok(Taken::Accepted(id))
        }
        503 => Ok(Taken::Refused(answer.retry_after.unwrap_or(RETRY_AFTER))),
        status => bail!(
            "an order is answered with {status} {}",
            String::from_utf8_lossy(answer.body)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, location: Option<&[u8]>) -> Answer<'_> {
        Answer {
            status,
            location,
            retry_after: None,
            body: b"{}",
        }
    }

    #[test]
    fn an_order_is_accepted_put_off_or_an_error() {
        let id = Uuid::now_v7();
        let location = format!("/api/v1/orders/{id}");
        let accepted = read(&answer(201, Some(location.as_bytes()))).unwrap();
        assert_eq!(accepted, Taken::Accepted(id));
        assert_eq!(
            read(&answer(503, None)).unwrap(),
            Taken::Refused(RETRY_AFTER)
        );
        assert!(read(&answer(201, None)).is_err());
        assert!(read(&answer(500, None)).is_err());
    }
}
