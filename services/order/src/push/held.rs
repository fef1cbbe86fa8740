//! What a socket has to tell but has not told yet.

use std::time::Duration;

use contracts::{OrderId, TraceContext};
use messaging::span::Recorded;
use time::OffsetDateTime;
use tokio::time::Instant;

use super::{cursor, frame::Frame, hub::Update, span};
use crate::{api::view::OrderView, limits, order::Order, storage::position::Position};

/// Orders on their way into a frame.
///
/// Whoever places an order is told so by the answer, and mostly it is decided within milliseconds: so an order that is
/// just NEW waits a moment, and one frame says both. Anything else takes all that waits along, at once.
#[derive(Debug)]
pub(crate) struct Held {
    /// In their latest state, in the order of their first changes.
    orders: Vec<OrderView>,
    /// The spans of those changes whose traces are recorded, with the order each is about.
    spans: Vec<(OrderId, Recorded)>,
    /// When they go, come what may; none while there are none.
    until: Option<Instant>,
    is_due: bool,
    /// What carries the stream, as spans name it.
    protocol: &'static str,
}

/// A frame that has to go, and the spans that end when it is gone.
#[derive(Debug)]
pub(crate) struct Due {
    pub(crate) frame: Frame,
    pub(crate) told: Vec<Told>,
    pub(crate) spans: Vec<Recorded>,
}

/// A state in a frame, for its metric and the push log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told {
    pub(crate) order_id: OrderId,
    pub(crate) version: i32,
    /// When the order took it.
    pub(crate) taken_at: OffsetDateTime,
    /// Its trace, if that is recorded.
    pub(crate) trace: Option<TraceContext>,
}

impl Held {
    /// Nothing to tell yet.
    pub(crate) const fn new(protocol: &'static str) -> Self {
        Self {
            orders: Vec::new(),
            spans: Vec::new(),
            until: None,
            is_due: false,
            protocol,
        }
    }

    /// How long to wait for more; none while nothing waits.
    pub(crate) const fn until(&self) -> Option<Instant> {
        self.until
    }

    /// What has to go before an update, because one frame would not hold both.
    pub(crate) fn make_room(&mut self, update: &Update, sent: &Position) -> Option<Due> {
        self.is_due |= self.orders.len() + update.changes.len() > limits::FRAME_ORDERS_MAX;
        self.frame(sent)
    }

    /// Adds what an update tells, without what the opening saw, and moves the cursor, which never goes back. What is NEW
    /// may wait for `hold` since it was placed.
    pub(crate) fn take_in(
        &mut self,
        update: Update,
        opened: &Position,
        sent: &mut Position,
        hold: Duration,
        now: OffsetDateTime,
    ) {
        if let Some(reached) = update.reached {
            let told = update.changes.iter().map(|change| change.xid);
            let reached = reached.up_to(told.fold(sent.last_xid(), u64::max));
            if sent.is_at_or_before(&reached) {
                *sent = reached;
            }
        }
        for change in update.changes.iter() {
            if opened.snapshot.sees(change.xid) {
                continue;
            }
            let order = OrderView::from(change.order.clone());
            self.is_due |= order.version > Order::FIRST_VERSION;
            let due = Instant::now() + hold.saturating_sub(change.order.age(now));
            self.until = Some(self.until.map_or(due, |until| until.min(due)));
            // The older of two versions may come second: pages go by the numbers of transactions, which say nothing of who
            // changed an order first, and a step of the tail that failed half-way is delivered again.
            match self.orders.iter_mut().find(|known| known.id == order.id) {
                Some(known) if known.version < order.version => {
                    *known = order;
                    for (_, mut untold) in
                        self.spans.extract_if(.., |(id, _)| *id == change.order.id)
                    {
                        untold.says("gozon.outcome", "superseded");
                        untold.done();
                    }
                }
                Some(_) => continue,
                None => self.orders.push(order),
            }
            let begun = span::begin(change, self.protocol).map(|span| (change.order.id, span));
            self.spans.extend(begun);
        }
        self.is_due |= self.orders.len() >= limits::FRAME_ORDERS_MAX;
    }

    /// The time is up.
    pub(crate) fn release(&mut self) {
        self.is_due = true;
    }

    /// The frame, if it is due.
    pub(crate) fn frame(&mut self, sent: &Position) -> Option<Due> {
        if !std::mem::take(&mut self.is_due) || self.orders.is_empty() {
            return None;
        }
        self.until = None;
        let told = self.orders.iter().map(|order| self.told(order)).collect();
        Some(Due {
            told,
            frame: Frame::Changes {
                cursor: cursor::encode(sent),
                orders: std::mem::take(&mut self.orders),
            },
            spans: self.spans.drain(..).map(|(_, span)| span).collect(),
        })
    }

    fn told(&self, order: &OrderView) -> Told {
        let mut spans = self.spans.iter();
        let span = spans.find(|(id, _)| *id == order.id);
        Told {
            order_id: order.id,
            version: order.version,
            taken_at: order.decided_at.unwrap_or(order.created_at),
            trace: span.map(|(_, span)| *span.context()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use contracts::{Money, OrderId, UserId};
    use time::OffsetDateTime;

    use super::*;
    use crate::{push::hub::Changed, status::Status};

    const HOLD: Duration = *limits::NEW_ORDER_HOLD.start();

    /// When the orders here are placed.
    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn position(snapshot: &str) -> Position {
        Position {
            system_identifier: 7,
            snapshot: snapshot.parse().unwrap(),
        }
    }

    fn change(xid: u64) -> Changed {
        let order = Order {
            id: OrderId::new(),
            number: xid.try_into().unwrap(),
            user_id: UserId::try_from(1).unwrap(),
            description: "Laces".to_owned(),
            amount: Money::rub(100),
            status: Status::New,
            reason: None,
            version: 1,
            trace_id: String::new(),
            created_at: NOW,
            decided_at: None,
        };
        Changed {
            xid,
            order,
            trace: None,
        }
    }

    fn update(xids: &[u64], reached: Option<&str>) -> Update {
        Update {
            changes: xids.iter().copied().map(change).collect(),
            reached: reached.map(|reached| Arc::new(position(reached))),
        }
    }

    /// What an update makes a socket tell when the time is up: the numbers in the frame, and its cursor.
    fn told(
        update: Update,
        opened: &Position,
        sent: &mut Position,
    ) -> Option<(Vec<i64>, Position)> {
        let mut held = Held::new("websocket");
        held.take_in(update, opened, sent, HOLD, NOW);
        held.release();
        match held.frame(sent)?.frame {
            Frame::Changes { cursor, orders } => {
                let numbers = orders.iter().map(|order| order.number).collect();
                Some((numbers, cursor::decode(&cursor).unwrap()))
            }
            other => panic!("changes never make {other:?}"),
        }
    }

    #[test]
    fn what_the_opening_saw_is_not_told_again() {
        let opened = position("10:20:12");
        let mut sent = opened.clone();
        let some = update(&[11, 12, 19, 20], Some("21:21:"));
        assert_eq!(
            told(some, &opened, &mut sent),
            Some((vec![12, 20], position("21:21:")))
        );
        let seen = update(&[9, 11], Some("21:21:"));
        assert_eq!(told(seen, &opened, &mut sent), None);
    }

    #[test]
    fn the_cursor_never_goes_back_and_stays_in_the_middle_of_a_difference() {
        let opened = position("10:20:12");
        let mut sent = opened.clone();
        for (xid, reached, expected) in [
            (12, Some("10:15:12"), "10:20:12"),
            (12, Some("10:20:11,12"), "10:20:12"),
            (12, None, "10:20:12"),
            (12, Some("20:20:"), "20:20:"),
            (25, Some("30:30:"), "26:26:"),
            (25, Some("20:25:"), "26:26:"),
        ] {
            let number = i64::try_from(xid).unwrap();
            assert_eq!(
                told(update(&[xid], reached), &opened, &mut sent),
                Some((vec![number], position(expected))),
                "{reached:?}"
            );
        }
    }

    #[test]
    fn of_two_versions_the_higher_is_told_whichever_comes_first() {
        let opened = position("1:1:");
        let mut sent = opened.clone();
        let placed = change(11);
        let mut decided = change(10);
        decided.order.id = placed.order.id;
        decided.order.status = Status::Finished;
        decided.order.version = 2;
        for both in [[&placed, &decided], [&decided, &placed]] {
            let mut held = Held::new("websocket");
            for change in both {
                let one = Update {
                    changes: Arc::new([change.clone()]),
                    reached: None,
                };
                held.take_in(one, &opened, &mut sent, HOLD, NOW);
            }
            let Some(Frame::Changes { orders, .. }) = held.frame(&sent).map(|due| due.frame) else {
                panic!("a decision is told at once");
            };
            let told: Vec<_> = orders.iter().map(|it| (it.version, it.status)).collect();
            assert_eq!(told, [(2, Status::Finished)]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_order_waits_until_it_is_older_than_the_hold_and_those_before_it_go_along() {
        let opened = position("1:1:");
        let mut held = Held::new("websocket");
        let mut wait_with = |age: Duration| {
            let mut placed = change(11);
            placed.order.created_at = NOW - age;
            let update = Update {
                changes: Arc::new([placed]),
                reached: None,
            };
            held.take_in(update, &opened, &mut opened.clone(), HOLD, NOW);
            held.until().unwrap() - Instant::now()
        };
        assert_eq!(wait_with(HOLD / 5), HOLD / 5 * 4);
        assert_eq!(wait_with(Duration::ZERO), HOLD / 5 * 4);
        assert_eq!(wait_with(HOLD / 2), HOLD / 2);
        assert_eq!(wait_with(Duration::from_hours(1)), Duration::ZERO);
    }

    #[test]
    fn a_new_order_waits_for_its_decision_and_everything_goes_with_a_decision() {
        let opened = position("1:1:");
        let mut sent = opened.clone();
        let mut held = Held::new("websocket");
        let placed = update(&[10, 11], Some("12:12:"));
        held.take_in(placed, &opened, &mut sent, HOLD, NOW);
        assert!(held.frame(&sent).is_none(), "both are just placed");
        let mut decided = change(10);
        decided.order.id = held.orders[0].id;
        decided.order.status = Status::Finished;
        decided.order.version = 2;
        let decision = Update {
            changes: Arc::new([decided]),
            reached: None,
        };
        held.take_in(decision, &opened, &mut sent, HOLD, NOW);
        let Some(Frame::Changes { orders, .. }) = held.frame(&sent).map(|due| due.frame) else {
            panic!("a decision is told at once");
        };
        let told: Vec<_> = orders.iter().map(|it| (it.number, it.version)).collect();
        assert_eq!(told, [(10, 2), (11, 1)], "each order once, as it is now");
        assert!(held.frame(&sent).is_none(), "and never again");
    }
}
