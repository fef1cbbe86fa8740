//! Processes that end without a word (SIGKILL) in the middle of their work.

use tests::{Role, Shop};

use crate::load::Load;

#[tokio::test]
async fn relays_killed_under_load_lose_and_double_nothing() {
    let shop = Shop::start_separately().await;
    let load = Load::new(&shop.entrance(), 10, 40).await;
    load.survives(async {
        load.accepted(15).await;
        shop.kill(Role::OrdersRelay(1));
        shop.kill(Role::PaymentsRelay(2));
        load.accepted(40).await;
        shop.start_again(Role::OrdersRelay(1)).await;
        shop.kill(Role::OrdersRelay(2));
        shop.start_again(Role::PaymentsRelay(2)).await;
        shop.kill(Role::PaymentsRelay(1));
        load.accepted(70).await;
        // Both relays of a database at once: its outbox waits for one to come back.
        shop.kill(Role::OrdersRelay(1));
        shop.start_again(Role::OrdersRelay(2)).await;
    })
    .await;
}

#[tokio::test]
async fn payment_and_order_processes_killed_under_load_lose_and_double_nothing() {
    let shop = Shop::start_separately().await;
    let load = Load::new(&shop.entrance(), 10, 40).await;
    load.survives(async {
        for percent in [15, 30, 45] {
            load.accepted(percent).await;
            shop.kill(Role::Payment(1));
            shop.start_again(Role::Payment(1)).await;
        }
        load.accepted(60).await;
        shop.kill(Role::Order(1));
        shop.kill(Role::Order(2));
        shop.start_again(Role::Order(1)).await;
        load.accepted(75).await;
        shop.start_again(Role::Order(2)).await;
        shop.kill(Role::Order(1));
        shop.kill(Role::Payment(1));
        shop.start_again(Role::Payment(1)).await;
        shop.start_again(Role::Order(1)).await;
    })
    .await;
}

#[tokio::test]
async fn everything_in_one_process_killed_under_load_loses_and_doubles_nothing() {
    let shop = Shop::start_all().await;
    let load = Load::new(&shop.entrance(), 10, 40).await;
    load.survives(async {
        for percent in [25, 50, 75] {
            load.accepted(percent).await;
            shop.kill(Role::All);
            shop.start_again(Role::All).await;
        }
    })
    .await;
}
