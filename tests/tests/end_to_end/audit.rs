//! `gozon audit`: what is in order is found in order, also at work; whatever breaks a promise is found.

use std::{cell::Cell, collections::BTreeSet, time::Duration};

use futures_util::future::join_all;
use tests::{Customer, Instance, Service, Shop, gozon, poll_until, shop::Layout};

mod hanging;
mod looks;
mod many;
mod planted;

use planted::{PLANTED, Planted};

const SOON: Duration = Duration::from_mins(1);

/// Enough to show every example there is.
const ALL_EXAMPLES: [&str; 2] = ["--examples", "1000"];

/// Both databases, with nobody at work on them.
async fn resting_shop() -> Shop {
    let shop = Shop::prepare(&Instance::OfThisRun, Layout::Together).await;
    shop.migrate().await;
    shop
}

#[tokio::test]
async fn every_check_finds_what_breaks_it_and_nothing_else() {
    let shop = resting_shop().await;
    let (orders, payments) = (
        shop.database(Service::Orders).admin_pool(),
        shop.database(Service::Payments).admin_pool(),
    );
    let case = (1..).zip(PLANTED);
    let planted: Vec<_> = case
        .map(|(user, case)| (case, Planted::new(user)))
        .collect();
    for (_, planted) in &planted {
        planted.plant_healthy(&orders, &payments).await;
    }
    let healthy = shop.assert_clean().await;
    assert_eq!(healthy.report["seen"]["orders"], PLANTED.len());
    assert_eq!(healthy.report["seen"]["captured"], PLANTED.len());
    for (case, planted) in &planted {
        planted.run(&orders, case.in_orders).await;
        planted.run(&payments, case.in_payments).await;
    }
    let audit = shop.audit(&ALL_EXAMPLES).await;
    assert_eq!(audit.status, Some(1), "{:#}", audit.report);
    for (case, planted) in &planted {
        let found = audit.about(&planted.subjects());
        assert_eq!(found, case.found, "{:#}", audit.report);
    }
    let all: BTreeSet<String> = audit.checks().into_iter().map(|(name, _)| name).collect();
    let tried = PLANTED.iter().flat_map(|case| case.found);
    let tried: BTreeSet<String> = tried.map(|&name| name.to_owned()).collect();
    assert_eq!(
        tried, all,
        "a check without a test, or a test without a check"
    );
}

#[tokio::test]
async fn a_shop_at_work_is_in_order_at_every_moment() {
    const AUDITS: usize = 6;
    let shop = Shop::start_all().await;
    let entrance = shop.entrance();
    // Money for some of the orders, so that both outcomes are on their way.
    let customers = join_all((0..4).map(|_| Customer::with_balance(&entrance, 75))).await;
    let (enough, accepted) = (Cell::new(false), Cell::new(0_u64));
    let work = join_all(customers.iter().map(async |customer| {
        let mut placed = Vec::new();
        while !enough.get() {
            placed.push(customer.place(1).await);
            accepted.set(accepted.get() + 1);
        }
        placed
    }));
    let audits = async {
        let mut seen = BTreeSet::new();
        for _ in 0..AUDITS {
            let before = accepted.get();
            poll_until("the shop moves", SOON, async || {
                (accepted.get() > before).then_some(())
            })
            .await;
            let audit = shop.audit(&[]).await;
            audit.assert_holds();
            seen.insert(audit.report["seen"]["orders"].as_u64());
        }
        enough.set(true);
        assert_eq!(seen.len(), AUDITS, "an audit did not look anew: {seen:?}");
    };
    let (placed, ()) = tokio::join!(work, audits);
    for (customer, placed) in customers.iter().zip(&placed) {
        customer.ended(placed, SOON).await;
    }
    let audit = shop.assert_clean().await;
    let orders: usize = placed.iter().map(Vec::len).sum();
    assert_eq!(audit.report["seen"]["orders"], orders);
}

#[tokio::test]
async fn what_cannot_be_read_is_not_called_in_order() {
    let nowhere = "postgres://nobody@127.0.0.1:9/orders";
    let environment = [
        ("GOZON_ORDERS_AUDIT_URL", nowhere),
        ("GOZON_PAYMENTS_AUDIT_URL", nowhere),
    ];
    let (status, text) = gozon(&["audit", "--json"], &environment).await;
    assert_eq!(status.code(), Some(2), "{text}");
    assert!(text.contains(r#""verdict":"unknown""#), "{text}");
    let (status, text) = gozon(&["audit"], &[]).await;
    assert_eq!(status.code(), Some(2), "{text}");
    assert!(text.contains("GOZON_ORDERS_AUDIT_URL"), "{text}");
}
