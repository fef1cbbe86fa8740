//! A broker that has forgotten everything, and queues deleted under the shop: topology and orders come again.

use std::time::Duration;

use futures_util::future::join_all;
use tests::{
    Customer, RawBroker, Role, Service, Shop, lapin::options::QueueDeleteOptions, poll_until,
};

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
        let broker = everything_is_consumed(&shop).await;
        for queue in [REQUESTS, ANSWERS] {
            let all = QueueDeleteOptions::default();
            broker
                .channel()
                .queue_delete(queue.into(), all)
                .await
                .unwrap();
        }
        load.accepted(70).await;
        everything_is_consumed(&shop).await;
        shop.vhost().wipe().await;
    })
    .await;
}

/// Waits until the services are back at their queues. Not only because losing what works is the harder case: RabbitMQ
/// 3.10 does not survive that a queue is deleted in the millisecond in which it was declared. The process behind its
/// dead-lettering dies, so does the supervisor of all of these (`rabbit_fifo_dlx_sup`), and the node declares no such
/// queue again.
async fn everything_is_consumed(shop: &Shop) -> RawBroker {
    let broker = shop.raw_broker().await;
    for queue in [REQUESTS, ANSWERS] {
        poll_until("the queue is consumed", HEALED_WITHIN, async || {
            broker.is_consumed(queue).await.then_some(())
        })
        .await;
    }
    broker
}
