//! Postgres restarted under the shop.

use tests::{Backing, Customer, backing::Server, shop::Layout};

use crate::load::{Load, start_unhealed_on};

#[tokio::test]
async fn postgres_restarted_and_killed_under_load_loses_no_acknowledged_order() {
    let backing = Backing::private().await;
    let turn = backing.turn().await;
    let shop = start_unhealed_on(&backing.instance(), Layout::Together).await;
    let load = Load::new(&shop.entrance(), 10, 40).await;
    load.survives(&shop, async {
        load.accepted(20).await;
        turn.restart(Server::Postgres).await;
        // No process is started again: the pools recover by themselves.
        load.accepted(60).await;
        turn.kill(Server::Postgres).await;
        turn.start().await;
    })
    .await;
    shop.all_ready().await;

    // What is pushed recovers as well as what is asked for.
    let customer = Customer::with_balance(&shop.entrance(), 1).await;
    let mut socket = customer.follow(None).await;
    let order = customer.place(1).await;
    assert_eq!(socket.ended(order.id).await.status, "FINISHED");
    shop.assert_clean().await;
}
