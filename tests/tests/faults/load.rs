//! Customers who keep ordering while something breaks.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use tests::{Customer, Entrance, customer::Order, poll_until};

const PRICE: i64 = 1_000;

/// One order must be accepted within this time, whatever breaks.
const ACCEPTED_WITHIN: Duration = Duration::from_mins(1);

/// After the last fault is over, every order has ended within this time.
const ENDED_WITHIN: Duration = Duration::from_mins(1);

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
    /// checks that every accepted order has ended and that the books are exact.
    pub(crate) async fn survives(&self, fault: impl Future<Output = ()>) {
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
