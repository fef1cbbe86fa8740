//! One customer: places an order at every tick, follows them over a socket that is opened again where it left off, and in
//! the end compares orders, ledger and balance.

use std::{collections::HashMap, sync::Arc, time::Duration};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Counters;
use crate::{
    Customer, Entrance, Follow,
    customer::{Order, new_key, order_call},
    follow::Screen,
};

/// What an order costs, and what each has for all of them.
const PRICE_MINOR: i64 = 100;
const FUNDS_MINOR: i64 = 100_000_000;

/// Between two attempts at the same thing.
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// An order is accepted, and a socket opened again, within this time, whatever is being killed or replaced meanwhile.
const TRY_FOR: Duration = Duration::from_mins(5);

/// Every order has ended this long after the last was placed.
const END_WITHIN: Duration = Duration::from_mins(2);

/// Orders until `over`, then waits for the last of them.
///
/// # Panics
/// When something does not add up.
pub(super) async fn visit(
    entrance: Entrance,
    user_id: i64,
    every: Duration,
    counters: Arc<Counters>,
    over: CancellationToken,
) {
    let customer = Customer::sign_in(&entrance, user_id).await;
    customer.open_account().await;
    customer.top_up(FUNDS_MINOR).await;
    let mut watch = Watch::begin(&customer, &counters).await;
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while watch
        .until(over.run_until_cancelled(ticks.tick()))
        .await
        .is_some()
    {
        let (id, asked_at) = watch.until(place(&customer, &counters)).await;
        watch.placed += 1;
        watch.waiting.insert(id, asked_at);
        watch.look(&[id]);
    }
    let all_ended = async {
        while watch.screen.ended() < watch.placed {
            let changes = watch.socket.next().await;
            watch.take(changes).await;
        }
    };
    let in_time = timeout(END_WITHIN, all_ended).await.is_ok();
    let (ended, placed) = (watch.screen.ended(), watch.placed);
    assert!(
        in_time,
        "customer {user_id} has seen {ended} of {placed} orders end"
    );
    for (id, shown) in &watch.screen.shown {
        let shown: Vec<_> = shown.iter().map(String::as_str).collect();
        assert!(
            shown == ["NEW", "FINISHED"] || shown == ["FINISHED"],
            "order {id} was shown as {shown:?}"
        );
    }
    let finished = customer.check_books(FUNDS_MINOR).await;
    assert_eq!(
        finished, placed,
        "customer {user_id} had the money for all of them"
    );
}

/// Places one order, and asks again under the same key until it is accepted. Says when that request was sent.
async fn place(customer: &Customer, counters: &Counters) -> (Uuid, Instant) {
    let key = new_key();
    let begun = Instant::now();
    while begun.elapsed() < TRY_FOR {
        let call = order_call(&key, PRICE_MINOR).bearer(&customer.token);
        counters.asked();
        let asked_at = Instant::now();
        match customer.entrance().try_send(call).await {
            Ok(answer) if answer.status == 201 => {
                counters.placed();
                let order: Order =
                    serde_json::from_str(&answer.text).expect("the answer is the order");
                return (order.id, asked_at);
            }
            Ok(answer) => counters.failed(&format!("{} {}", answer.status, answer.text)),
            Err(error) => counters.failed(&format!("no answer: {error:?}")),
        }
        sleep(AGAIN_AFTER).await;
    }
    panic!("an order was not accepted for {TRY_FOR:?}");
}

/// A socket and what its user has seen on it.
struct Watch<'c> {
    customer: &'c Customer,
    counters: &'c Counters,
    socket: Follow,
    screen: Screen,
    /// The newest version of each order that the present socket told of a change.
    told: HashMap<Uuid, i64>,
    /// The newest version of each order that any socket told of.
    seen: HashMap<Uuid, i64>,
    /// How many orders were placed.
    placed: usize,
    /// When those that were not yet seen to end were asked for.
    waiting: HashMap<Uuid, Instant>,
}

impl<'c> Watch<'c> {
    async fn begin(customer: &'c Customer, counters: &'c Counters) -> Self {
        Self {
            customer,
            counters,
            socket: follow(customer, None, counters).await,
            screen: Screen::default(),
            told: HashMap::new(),
            seen: HashMap::new(),
            placed: 0,
            waiting: HashMap::new(),
        }
    }

    /// Shows what the socket says until something is done.
    async fn until<T>(&mut self, done: impl Future<Output = T>) -> T {
        tokio::pin!(done);
        loop {
            tokio::select! {
                value = &mut done => return value,
                changes = self.socket.next() => self.take(changes).await,
            }
        }
    }

    /// Shows what a socket said; one that has ended is opened again where it was. Who has too many orders for that gets the
    /// newest alone, and asks for the others.
    async fn take(&mut self, changes: anyhow::Result<Vec<Order>>) {
        let orders = if let Ok(orders) = changes {
            for order in &orders {
                let before = self.told.insert(order.id, order.version);
                assert!(
                    before.is_none_or(|before| before < order.version),
                    "one socket told version {} of order {} after {before:?}",
                    order.version,
                    order.id
                );
            }
            orders
        } else {
            self.told.clear();
            let cursor = self.socket.cursor.clone();
            self.socket = follow(self.customer, Some(&cursor), self.counters).await;
            self.counters.reopened(self.socket.resumed);
            let newest = std::mem::take(&mut self.socket.snapshot);
            if self.socket.resumed {
                newest
            } else {
                list(self.customer).await
            }
        };
        for order in &orders {
            let newest = self.seen.entry(order.id).or_default();
            if *newest < order.version {
                *newest = order.version;
                self.counters.seen(since_change(order));
            }
        }
        let ids: Vec<Uuid> = orders.iter().map(|order| order.id).collect();
        self.screen.show(orders);
        self.look(&ids);
    }

    /// Counts those of these orders that are shown to have ended, each once: the stream may be ahead of the answer to the
    /// request for an order.
    fn look(&mut self, ids: &[Uuid]) {
        for id in ids {
            let has_ended = self.screen.order(*id).is_some_and(Order::has_ended);
            if has_ended && let Some(asked_at) = self.waiting.remove(id) {
                self.counters.ended(asked_at.elapsed());
            }
        }
    }
}

/// How long ago an order took the status that it has: its services run on this machine, so their clock is ours.
fn since_change(order: &Order) -> Duration {
    let taken_at = order.decided_at.as_ref().unwrap_or(&order.created_at);
    let taken_at =
        OffsetDateTime::parse(taken_at, &Rfc3339).expect("an instant is as RFC 3339 has it");
    Duration::try_from(OffsetDateTime::now_utc() - taken_at).unwrap_or_default()
}

async fn follow(customer: &Customer, cursor: Option<&str>, counters: &Counters) -> Follow {
    let begun = Instant::now();
    while begun.elapsed() < TRY_FOR {
        match Follow::open(customer.entrance(), &customer.token, cursor).await {
            Ok(socket) => return socket,
            Err(error) => counters.not_opened(&format!("the socket: {error:#}")),
        }
        sleep(AGAIN_AFTER).await;
    }
    panic!("no socket was opened for {TRY_FOR:?}");
}

async fn list(customer: &Customer) -> Vec<Order> {
    let begun = Instant::now();
    while begun.elapsed() < TRY_FOR {
        if let Some(orders) = customer.try_orders().await {
            return orders;
        }
        sleep(AGAIN_AFTER).await;
    }
    panic!("the orders were not listed for {TRY_FOR:?}");
}
