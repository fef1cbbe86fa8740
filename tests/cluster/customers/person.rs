//! One customer: places an order at every tick, follows them over a socket that is opened again where it left off, and in
//! the end compares orders, ledger and balance.

use std::{sync::Arc, time::Duration};

use ::tests::{
    Customer, Entrance, Follow,
    customer::{Order, new_key, order_call},
    follow::Screen,
    visit::Counters,
};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// What an order costs, and what each has for all of them.
const PRICE_MINOR: i64 = 100;
const FUNDS_MINOR: i64 = 100_000_000;

/// Between two attempts at the same thing.
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// Every order has ended this long after the last was placed.
const END_WITHIN: Duration = Duration::from_mins(2);

/// Orders until `over`, then waits for the last of them.
///
/// # Panics
/// When something does not add up.
pub(crate) async fn visit(
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
    let mut placed = 0;
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = over.cancelled() => break,
            _ = ticks.tick() => {
                place(&customer, &counters).await;
                placed += 1;
            }
            changes = watch.socket.next() => watch.take(changes).await,
        }
    }
    let all_ended = async {
        while watch.screen.ended() < placed {
            let changes = watch.socket.next().await;
            watch.take(changes).await;
        }
    };
    let in_time = timeout(END_WITHIN, all_ended).await.is_ok();
    let ended = watch.screen.ended();
    assert!(
        in_time,
        "customer {user_id} has seen {ended} of {placed} orders end"
    );
    let finished = customer.check_books(FUNDS_MINOR).await;
    assert_eq!(
        finished, placed,
        "customer {user_id} had the money for all of them"
    );
}

/// Places one order, and asks again under the same key until it is accepted.
async fn place(customer: &Customer, counters: &Counters) {
    let key = new_key();
    loop {
        let call = order_call(&key, PRICE_MINOR).bearer(&customer.token);
        counters.asked();
        match customer.entrance().try_send(call).await {
            Ok(answer) if answer.status == 201 => break counters.placed(),
            Ok(answer) => counters.failed(&format!("{} {}", answer.status, answer.text)),
            Err(error) => counters.failed(&format!("no answer: {error:?}")),
        }
        sleep(AGAIN_AFTER).await;
    }
}

/// A socket and what its user has seen on it.
struct Watch<'c> {
    customer: &'c Customer,
    counters: &'c Counters,
    socket: Follow,
    screen: Screen,
}

impl<'c> Watch<'c> {
    async fn begin(customer: &'c Customer, counters: &'c Counters) -> Self {
        Self {
            customer,
            counters,
            socket: follow(customer, None, counters).await,
            screen: Screen::default(),
        }
    }

    /// Shows what a socket said; one that has ended is opened again where it was.
    async fn take(&mut self, changes: anyhow::Result<Vec<Order>>) {
        let before = self.screen.ended();
        if let Ok(orders) = changes {
            self.screen.show(orders);
        } else {
            let cursor = self.socket.cursor.clone();
            self.socket = follow(self.customer, Some(&cursor), self.counters).await;
            self.counters.reopened(self.socket.resumed);
            self.screen.show(std::mem::take(&mut self.socket.snapshot));
        }
        self.counters.ended(self.screen.ended() - before);
    }
}

async fn follow(customer: &Customer, cursor: Option<&str>, counters: &Counters) -> Follow {
    loop {
        match Follow::open(customer.entrance(), &customer.token, cursor).await {
            Ok(socket) => return socket,
            Err(error) => counters.not_opened(&format!("the socket: {error:#}")),
        }
        sleep(AGAIN_AFTER).await;
    }
}
