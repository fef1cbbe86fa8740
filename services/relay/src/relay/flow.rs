//! The flow of rows: read ahead while earlier ones are unconfirmed, and publish whenever the window has room.

use messaging::{
    doorbell::WokenBy,
    fault_point::{self, FaultPoint},
    metrics::time,
    outbox::{self, Difference, OutboxRow, Parking, Position, Span},
    snapshot::Snapshot,
};
use time::OffsetDateTime;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    BLOCKED, LAST_CONFIRMS, LONGEST_DRAIN, MOST_WAITING, PAGE, POLL, Relay, RelayError, connected,
    in_time,
};
use crate::{
    cursor::{Cursor, Paging},
    line::Line,
    planner::{MAX_BYTES, Pending},
};

/// What a turn has read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Page {
    pub rows: usize,
    /// There is more to be read at once.
    pub more: bool,
}

impl Relay {
    /// Looks after leases, writes back when that is due, looks after the connection, reads a page if there is room for it,
    /// and parks what cannot be sent; publishes all the while.
    pub(super) async fn turn(&mut self) -> Result<Page, RelayError> {
        if Instant::now() >= self.renew_at || self.bell.hand_overs() != self.hand_overs {
            self.upkeep().await?;
        } else {
            self.give_up_surplus().await?;
        }
        // Before the connection is looked after: what is confirmed is written down while the broker is away, too.
        if Instant::now() >= self.write_back_at {
            self.write_back().await?;
        }
        if self.line.needs_connection() {
            self.ready_publisher().await?;
        }
        self.declare_topology().await;
        let page = if self.has_room() {
            self.read().await?
        } else {
            Page::default()
        };
        self.park().await?;
        self.absorb();
        Ok(page)
    }

    /// Reads one page, publishes it and waits until the broker has confirmed all of it; says how many events.
    pub async fn step(&mut self, stop: &CancellationToken) -> Result<usize, RelayError> {
        let mut page = self.read().await?;
        while page.rows == 0 && page.more {
            page = self.read().await?;
        }
        while !self.line.is_idle() {
            self.settle_some().await?;
            if stop.is_cancelled() && self.line.is_in_trouble() {
                return Err(RelayError::Stopped);
            }
        }
        self.absorb();
        Ok(page.rows)
    }

    /// Publishes what is in memory and waits for confirms of all of it: as long as they come, but not for long.
    pub(super) async fn drain(&mut self) -> Result<(), RelayError> {
        let mut until = Instant::now() + LAST_CONFIRMS;
        let latest = Instant::now() + LONGEST_DRAIN;
        while !self.line.is_idle() && Instant::now() < until.min(latest) {
            if self.settle_some().await? > 0 {
                until = Instant::now() + LAST_CONFIRMS;
            }
        }
        self.absorb();
        Ok(())
    }

    /// Publishes, and waits a moment for answers; says how many reads they brought forward.
    async fn settle_some(&mut self) -> Result<usize, RelayError> {
        if self.line.needs_connection() {
            self.ready_publisher().await?;
        }
        self.declare_topology().await;
        if Instant::now() >= self.renew_at {
            self.renew().await?;
        }
        self.line.send();
        let until = Instant::now() + POLL.0;
        tokio::select! {
            Some(landed) = self.line.landed() => self.line.answered(landed),
            () = tokio::time::sleep_until(until) => {}
        }
        self.park().await?;
        let settled = self.line.settled.len();
        self.absorb();
        Ok(settled)
    }

    /// Whether more rows may be read: those that only the window holds back, and all in memory, are bounded; and who owns more
    /// lanes than its share reads nothing while something is under way, for the others wait until that is confirmed.
    pub(super) fn has_room(&self) -> bool {
        let page = usize::try_from(PAGE).unwrap_or(usize::MAX);
        let is_handing_over = self.surplus() > 0 && self.line.is_moving();
        !is_handing_over
            && self.line.waiting() < page
            && self.line.planner.waiting(|_| true) < MOST_WAITING
    }

    /// Reads one page of what is new and hands it to the line.
    async fn read(&mut self) -> Result<Page, RelayError> {
        let Some(index) = self.cursors.next() else {
            return Ok(Page::default());
        };
        fault_point::pass(FaultPoint::BeforeRead);
        let started = Instant::now();
        let cursor = &self.cursors.0[index];
        let lanes = cursor.lanes();
        let since = cursor.read_to.clone();
        let (rows, until, left) = match cursor.paging.clone() {
            Some(Paging {
                until,
                after,
                last: Some(last),
            }) => {
                let span = Span { after, last };
                let (rows, left) = self.read_page(&lanes, &since, &until, span).await?;
                (rows, until, left)
            }
            paging => {
                let mut since = since.clone();
                let until = paging.map(|Paging { until, after, .. }| {
                    since.id = since.id.max(after);
                    until
                });
                let deadline = self.deadline();
                let connection = connected(&mut self.connection, &self.pool).await?;
                let first = outbox::read_since(connection, &lanes, &since, until.as_ref(), PAGE);
                let first = time(&self.durations.read, first);
                let Difference {
                    rows,
                    snapshot,
                    more,
                } = meanwhile(&mut self.line, deadline, in_time(first)).await??;
                if until.is_none() {
                    self.cursors.follow(&snapshot);
                }
                (rows, snapshot, more)
            }
        };
        if !rows.is_empty() {
            fault_point::pass(FaultPoint::AfterRead);
        }
        let to = since.moved_to(until, self.mark.as_ref());
        if self
            .mark
            .is_some_and(|mark| to.snapshot.xmin() >= mark.next_xid)
        {
            self.mark = None;
        }
        let page = Page {
            rows: rows.len(),
            more: left.is_some() || self.cursors.0.len() > 1,
        };
        self.pace.began(started, page.rows);
        self.take_in(index, rows, to, left);
        Ok(page)
    }

    async fn read_page(
        &mut self,
        lanes: &[i16],
        since: &Position,
        until: &Snapshot,
        span: Span,
    ) -> Result<(Vec<OutboxRow>, Option<Span>), RelayError> {
        let deadline = self.deadline();
        let connection = connected(&mut self.connection, &self.pool).await?;
        let page = outbox::read_page(connection, lanes, since, until, span, PAGE);
        let page = time(&self.durations.read, page);
        Ok(meanwhile(&mut self.line, deadline, in_time(page)).await??)
    }

    fn take_in(&mut self, index: usize, rows: Vec<OutboxRow>, to: Position, left: Option<Span>) {
        self.reads += 1;
        let (read, read_at) = (self.reads, OffsetDateTime::now_utc());
        self.cursors.advance(index, read, rows.len(), to, left);
        for row in rows {
            let epoch = self.line.epoch_of(row.lane.number());
            let pending = Pending {
                row,
                read,
                read_at,
                epoch,
            };
            if self.line.parked_keys.contains(&pending.row.key) {
                self.line.to_park.push(pending);
            } else {
                self.line.planner.push(pending);
            }
        }
        self.line.send();
    }

    /// Sets aside what can never be sent. Its rows are settled once they are parked.
    async fn park(&mut self) -> Result<(), RelayError> {
        while let Some(pending) = self.line.to_park.first().cloned() {
            let row = &pending.row;
            let reason = if row.body.len() + 2 > MAX_BYTES {
                Parking::TooLarge
            } else {
                Parking::Behind
            };
            tracing::error!(
                relay = self.settings.name,
                outbox_id = row.id,
                event_id = %row.event_id,
                kind = row.kind,
                reason = reason.as_str(),
                "an event can never be sent and is parked"
            );
            self.line.parked_keys.insert(row.key);
            let deadline = self.deadline();
            let connection = connected(&mut self.connection, &self.pool).await?;
            let parking = outbox::park(connection, row, reason);
            meanwhile(&mut self.line, deadline, in_time(parking)).await??;
            self.line.to_park.remove(0);
            self.line.note_parked(&pending, reason);
            self.line.settled.push((pending.read, 1));
        }
        Ok(())
    }

    /// Tells the cursors what is confirmed.
    pub(super) fn absorb(&mut self) {
        for (read, rows) in self.line.settled.drain(..) {
            self.cursors.confirmed(read, rows);
        }
    }

    /// Until when something may be published: as long as the leases hold, if there are any.
    pub(super) fn deadline(&self) -> Instant {
        if self.cursors.0.is_empty() {
            Instant::now() + super::STATEMENT_TIMEOUT * 2
        } else {
            self.leases_hold_until
        }
    }

    /// Waits until there may be something to read, publishing meanwhile; says what ended the wait for a ring.
    pub(super) async fn wait(
        &mut self,
        poll: std::time::Duration,
        stop: &CancellationToken,
    ) -> Option<WokenBy> {
        let mut until = (Instant::now() + poll).min(self.renew_at);
        if self.cursors.0.iter().any(Cursor::has_news) {
            until = until.min(self.write_back_at);
        }
        let mut woken = None;
        loop {
            self.line.send();
            let now = Instant::now();
            let had_room = self.has_room();
            let mut wake_at = self.line.wakes_at().map_or(until, |at| at.min(until));
            if self.line.is_blocked() {
                wake_at = wake_at.min(now + BLOCKED);
            }
            // A ring has come; the next read is not before the pace allows it.
            if woken.is_some() {
                if now >= self.pace.next() && had_room {
                    return woken;
                }
                wake_at = wake_at.min(self.pace.next());
            }
            if now >= until || self.line.needs_connection() || self.line.lacks_topology {
                return woken.or(Some(WokenBy::Poll));
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return woken,
                Some(landed) = self.line.landed(), if !self.line.has_landed() => {
                    self.line.answered(landed);
                    self.absorb();
                    if !had_room && self.has_room() {
                        return woken;
                    }
                }
                rung = self.bell.wait(until - now), if woken.is_none() && had_room => woken = Some(rung),
                () = tokio::time::sleep_until(wake_at.max(now + std::time::Duration::from_micros(100))) => {}
            }
        }
    }

    async fn declare_topology(&mut self) {
        if !self.line.lacks_topology || Instant::now() < self.declare_at {
            return;
        }
        self.line.lacks_topology = false;
        self.declare_at = Instant::now() + super::RETRY.0;
        let deadline = self.deadline();
        let Some(publisher) = self.line.publisher.take() else {
            return;
        };
        tracing::error!(
            relay = self.settings.name,
            "the broker lacks the exchange or a queue for an event; declaring the topology again"
        );
        let declared = tokio::time::timeout_at(deadline, publisher.declare_topology()).await;
        self.line.publisher = Some(publisher);
        if let Ok(Err(error)) = declared {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the topology could not be declared"
            );
        }
    }
}

/// Publishes and takes the broker's answers until some work is done, but no longer than the leases hold.
pub(super) async fn meanwhile<T>(
    line: &mut Line,
    deadline: Instant,
    work: impl Future<Output = T>,
) -> Result<T, RelayError> {
    let mut work = std::pin::pin!(work);
    loop {
        line.send();
        tokio::select! {
            biased;
            done = &mut work => return Ok(done),
            Some(landed) = line.landed(), if !line.has_landed() => line.answered(landed),
            () = tokio::time::sleep_until(deadline) => return Err(RelayError::LeaseEnded),
        }
    }
}
