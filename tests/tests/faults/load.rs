//! Customers who keep ordering while something breaks.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use tests::{
    Customer, Entrance, Instance, Service, Shop, customer::Order, poll_until, shop::Layout,
};

const PRICE: i64 = 1_000;

/// One order must be accepted within this time, whatever breaks.
const ACCEPTED_WITHIN: Duration = Duration::from_mins(1);

/// After the last fault is over, every order has ended within this time.
const ENDED_WITHIN: Duration = Duration::from_mins(1);

/// Who orders until something is over places an order in this time: often enough for every path to be taken soon, and
/// not more than can be listed at the end.
const PACE: Duration = Duration::from_millis(100);

/// A reconciler that asks for nothing again while the test runs.
const UNHEALED: &[(&str, &str)] = &[("GOZON_RECONCILE_AFTER_SECONDS", "3600")];

/// Starts a shop that heals nothing: what a process loses stays lost, and is seen.
pub(crate) async fn start_unhealed(layout: Layout) -> Shop {
    start_unhealed_on(&Instance::OfThisRun, layout).await
}

/// The same on an instance whose servers are to fail.
pub(crate) async fn start_unhealed_on(instance: &Instance, layout: Layout) -> Shop {
    Shop::start_with(instance, layout, UNHEALED).await
}

/// A number of customers, each with money for half of its orders.
pub(crate) struct Load {
    customers: Vec<Customer>,
    orders_each: usize,
    accepted: AtomicUsize,
}

impl Load {
    /// Signs the customers in and fills their accounts.
    pub(crate) async fn new(entrance: &Entrance, customers: usize, orders_each: usize) -> Self {
        let topped_up = topped_up(orders_each);
        let customers = (0..customers).map(|_| Customer::with_balance(entrance, topped_up));
        Self {
            customers: join_all(customers).await,
            orders_each,
            accepted: AtomicUsize::new(0),
        }
    }

    /// Lets every customer place its orders one after the other, all customers at once, while `fault` happens; then
    /// checks that every accepted order has ended, that the books are exact, and that an audit finds all as promised.
    pub(crate) async fn survives(&self, shop: &Shop, fault: impl Future<Output = ()>) {
        let placing = join_all(
            self.customers
                .iter()
                .map(|customer| self.place_all(customer)),
        );
        let (placed, ()) = tokio::join!(placing, fault);
        for (customer, placed) in self.customers.iter().zip(&placed) {
            customer.ended(placed, ENDED_WITHIN).await;
            // An order nobody was told of would be one too many.
            assert_eq!(customer.orders().await.len(), self.orders_each);
            let finished = customer.check_books(topped_up(self.orders_each)).await;
            assert_eq!(finished, self.orders_each / 2);
        }
        shop.assert_clean().await;
    }

    /// Waits until this share of all orders (in percent) was accepted.
    pub(crate) async fn accepted(&self, percent: usize) {
        let wanted = self.customers.len() * self.orders_each * percent / 100;
        let what = format!("{percent} % of the orders are accepted");
        poll_until(&what, 2 * ACCEPTED_WITHIN, async || {
            (self.accepted.load(Ordering::Relaxed) >= wanted).then_some(())
        })
        .await;
    }

    async fn place_all(&self, customer: &Customer) -> Vec<Order> {
        let mut placed = Vec::new();
        for _ in 0..self.orders_each {
            placed.push(customer.place_surely(PRICE, ACCEPTED_WITHIN).await);
            self.accepted.fetch_add(1, Ordering::Relaxed);
        }
        placed
    }
}

fn topped_up(orders_each: usize) -> i64 {
    PRICE * i64::try_from(orders_each / 2).unwrap()
}

/// Each so manieth order is given up once it is paid.
const GIVEN_UP_EACH: usize = 4;

/// Orders for one kopeck, one after the other as a careful client does, until it is over; some of them are given up once
/// they are paid.
pub(crate) async fn keeps_ordering(customer: &Customer, over: &AtomicBool) -> Vec<Order> {
    let mut placed: Vec<Order> = Vec::new();
    let mut pace = tokio::time::interval(PACE);
    while !over.load(Ordering::Relaxed) {
        pace.tick().await;
        placed.push(customer.place_surely(1, ACCEPTED_WITHIN).await);
        if placed.len().is_multiple_of(GIVEN_UP_EACH) {
            // Not the newest, which is rarely decided yet.
            let early = &placed[placed.len() - GIVEN_UP_EACH..][..1];
            let ended = customer.ended(early, ENDED_WITHIN).await;
            for paid in ended.iter().filter(|order| order.status == "FINISHED") {
                customer.cancel_surely(paid, ACCEPTED_WITHIN).await;
            }
        }
    }
    placed
}

/// What these customers ordered, who could pay for so much each, has ended; their books are exact, nobody was told
/// nothing, there is no dead letter, and an audit finds all as promised.
pub(crate) async fn nothing_was_lost_or_doubled(
    shop: &Shop,
    customers: &[Customer],
    payable: i64,
    placed: &[Vec<Order>],
) {
    for (customer, placed) in customers.iter().zip(placed) {
        customer.ended(placed, ENDED_WITHIN).await;
        // An order nobody was told of would be one too many.
        assert_eq!(customer.orders().await.len(), placed.len());
        let finished = customer.check_books(payable).await;
        let orders = customer.orders().await;
        let refunded = orders.iter().filter(|order| order.is_refunded()).count();
        // What comes back pays for further orders, and nobody is refused who could pay.
        let payable = usize::try_from(payable).unwrap();
        assert!(refunded > 0 && finished <= payable);
        assert!(finished + refunded >= placed.len().min(payable));
    }
    for service in Service::ALL {
        let letters: i64 = sqlx::query_scalar("select count(*) from messaging.dead_letter")
            .fetch_one(&shop.database(service).admin_pool())
            .await
            .unwrap();
        assert_eq!(letters, 0, "{service:?}");
    }
    shop.assert_clean().await;
}
