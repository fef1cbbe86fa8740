//! A broker that has forgotten everything, and queues deleted under the shop: topology and orders come again.

use std::time::Duration;

use futures_util::future::join_all;
use tests::{Customer, Role, Service, Shop, lapin::options::QueueDeleteOptions, poll_until};

use crate::{
    load::Load,
    reconciler::{ANSWERS, REQUESTS, everything_is_published, impatient_shop},
};

const HEALED_WITHIN: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_broker_that_comes_back_empty_gets_its_topology_again_and_no_order_is_lost_with_it() {
    let shop = impatient_shop().await;
    let customer = Customer::with_balance(&shop.entrance(), 8).await;
    shop.stop(Role::Payment(1)).await;
    let mut placed = join_all((0..10).map(|_| customer.place(1))).await;
    everything_is_published(&shop, Service::Orders).await;
    shop.vhost().wipe().await;
    let broker = shop.raw_broker().await;
    assert_eq!(broker.depth(REQUESTS).await, None, "nothing is left in it");
    // Orders go on being accepted meanwhile.
    placed.extend(join_all((0..5).map(|_| customer.place(1))).await);
    shop.start_again(Role::Payment(1)).await;
    customer.ended(&placed, HEALED_WITHIN).await;
    assert_eq!(customer.check_books(8).await, 8);
    shop.assert_clean().await;
}

#[tokio::test]
async fn a_broker_emptied_and_queues_deleted_under_load_lose_and_double_nothing() {
    let shop = impatient_shop().await;
    let load = Load::new(&shop.entrance(), 8, 60).await;
    load.survives(&shop, async {
        load.accepted(20).await;
        shop.vhost().wipe().await;
        load.accepted(50).await;
        for queue in [REQUESTS, ANSWERS] {
            delete_when_there(&shop, queue).await;
        }
        load.accepted(70).await;
        shop.vhost().wipe().await;
    })
    .await;
}

/// Deletes a queue with its consumers and whatever is in it.
async fn delete_when_there(shop: &Shop, queue: &str) {
    let broker = shop.raw_broker().await;
    poll_until("the queue is there", HEALED_WITHIN, async || {
        broker.depth(queue).await
    })
    .await;
    let all = QueueDeleteOptions::default();
    broker
        .channel()
        .queue_delete(queue.into(), all)
        .await
        .unwrap();
}
