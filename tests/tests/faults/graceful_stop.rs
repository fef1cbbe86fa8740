//! A process asked to stop (SIGTERM) finishes what it has in hand and goes.

use std::time::Duration;

use tests::{Customer, Role, Shop};

use crate::load::Load;

/// The grace period of a process that was not told another one.
const GRACE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_graceful_stop_under_load_loses_nothing_that_was_accepted() {
    let shop = Shop::start_all().await;
    let load = Load::new(&shop.entrance(), 10, 60).await;
    load.survives(async {
        for percent in [25, 60] {
            load.accepted(percent).await;
            let took = shop.stop(Role::All).await;
            assert!(took < GRACE, "{took:?}");
            shop.start_again(Role::All).await;
        }
    })
    .await;
}

#[tokio::test]
async fn every_role_stops_in_its_grace_period_even_with_idle_clients_holding_on() {
    let shop = Shop::start_separately().await;
    let entrance = shop.entrance();
    let customer = Customer::with_balance(&entrance, 10).await;
    // Sockets that never end by themselves, and keep-alive connections from the requests above.
    let sockets = [customer.follow(None).await, customer.follow(None).await];
    for role in [
        Role::Web,
        Role::Order(1),
        Role::Order(2),
        Role::Payment(1),
        Role::OrdersRelay(1),
        Role::OrdersRelay(2),
        Role::PaymentsRelay(1),
        Role::PaymentsRelay(2),
    ] {
        let took = shop.stop(role).await;
        assert!(took < GRACE, "{role:?}: {took:?}");
    }
    for mut socket in sockets {
        assert!(socket.next().await.is_err(), "the server closed it");
    }
}
