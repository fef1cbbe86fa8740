//! Relays and consumers that die at every point of their work, again and again, under load.
//!
//! The processes end themselves exactly at the point named (`messaging::fault_point`, in development builds). Run it for
//! longer with `GOZON_TEST_KILLS=2000 cargo test -p tests --test faults killed_everywhere`.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::future::{join, join_all};
use tests::{Customer, Role, Shop, instance::setting, shop::Layout};

use crate::load::{keeps_ordering, nothing_was_lost_or_doubled, start_unhealed};

/// How many times a process dies in one run when nobody asks for more.
const KILLS: usize = 200;

/// A process starts, finds work, and is at its point within this time, also on a busy machine.
const DIES_WITHIN: Duration = Duration::from_mins(1);

/// Each of these customers can pay for so many of its orders, which cost one each.
const CUSTOMERS: usize = 6;
const PAYABLE: i64 = 150;

const OF_RELAYS: &[&str] = &[
    "before-read",
    "after-read",
    "before-publish",
    "after-publish",
    "before-confirm",
    "after-confirm",
    "before-write-back",
    "after-write-back",
];

const OF_CONSUMERS: &[&str] = &[
    "before-delivery",
    "after-delivery",
    "before-commit",
    "after-commit",
    "before-ack",
    "after-ack",
];

/// Who dies, and where: every relay, both payment processes, and one of the two order replicas. The other order replica
/// lives on, so that there is somebody to place orders at.
const VICTIMS: &[(Role, &[&str])] = &[
    (Role::OrdersRelay(1), OF_RELAYS),
    (Role::OrdersRelay(2), OF_RELAYS),
    (Role::PaymentsRelay(1), OF_RELAYS),
    (Role::PaymentsRelay(2), OF_RELAYS),
    (Role::Payment(1), OF_CONSUMERS),
    (Role::Payment(2), OF_CONSUMERS),
    (Role::Order(2), OF_CONSUMERS),
];

#[tokio::test]
async fn relays_and_consumers_that_die_at_every_point_lose_and_double_nothing() {
    let kills = wanted_kills();
    let shop = start_unhealed(Layout::InPairs).await;
    let entrance = shop.entrance();
    let customers =
        join_all((0..CUSTOMERS).map(|_| Customer::with_balance(&entrance, PAYABLE))).await;

    let (died, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let killing = async {
        join_all(
            VICTIMS
                .iter()
                .map(|(role, points)| dies_everywhere(&shop, *role, points, &died, kills)),
        )
        .await;
        over.store(true, Ordering::Relaxed);
    };
    let placing = join_all(
        customers
            .iter()
            .map(|customer| keeps_ordering(customer, &over)),
    );
    let ((), placed) = join(killing, placing).await;
    assert!(died.load(Ordering::Relaxed) >= kills);
    nothing_was_lost_or_doubled(&shop, &customers, PAYABLE, &placed).await;
}

/// Has one process die at each of its points in turn, and at a later passing in each round, until there were enough
/// deaths among all; at each point at least once. It lives on at the end.
async fn dies_everywhere(
    shop: &Shop,
    role: Role,
    points: &[&str],
    died: &AtomicUsize,
    kills: usize,
) {
    shop.kill(role);
    for round in 1.. {
        for point in points {
            let enough = round > 1 && died.load(Ordering::Relaxed) >= kills;
            if enough {
                shop.start_again(role).await;
                return;
            }
            // The first passings, where a process has just begun, and some later ones.
            let passing = [1, 2, 5, 3][(round - 1) % 4];
            shop.dies_at(role, &format!("{point}:{passing}"), DIES_WITHIN)
                .await;
            died.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn wanted_kills() -> usize {
    setting("GOZON_TEST_KILLS").map_or(KILLS, |kills| {
        kills.parse().expect("GOZON_TEST_KILLS is a number")
    })
}
