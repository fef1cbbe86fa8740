//! Processes that end without a word (SIGKILL) in the middle of their work.

use std::time::Duration;

use futures_util::future::join_all;
use sqlx::{AssertSqlSafe, PgTransaction};
use tests::{Customer, Role, Service, Shop, poll_until, shop::Layout};

use crate::{
    load::{Load, start_unhealed},
    tables::tables_of,
};

const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn relays_killed_under_load_lose_and_double_nothing() {
    let shop = start_unhealed(Layout::Separately).await;
    let load = Load::new(&shop.entrance(), 10, 40).await;
    load.survives(&shop, async {
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
    let shop = start_unhealed(Layout::Separately).await;
    let load = Load::new(&shop.entrance(), 10, 40).await;
    load.survives(&shop, async {
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
    let shop = start_unhealed(Layout::Together).await;
    let load = Load::new(&shop.entrance(), 10, 40).await;
    load.survives(&shop, async {
        for percent in [25, 50, 75] {
            load.accepted(percent).await;
            shop.kill(Role::All);
            shop.start_again(Role::All).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_payment_process_killed_in_the_middle_of_its_settlement_loses_nothing() {
    let shop = start_unhealed(Layout::Separately).await;
    let customer = Customer::with_balance(&shop.entrance(), 5).await;
    let lock = lock_writes(&shop, Service::Payments).await;
    let placed = join_all((0..10).map(|_| customer.place(1))).await;
    a_write_waits(&shop, Service::Payments).await;
    shop.kill(Role::Payment(1));
    lock.rollback().await.unwrap();
    shop.start_again(Role::Payment(1)).await;
    customer.ended(&placed, SOON).await;
    assert_eq!(customer.check_books(5).await, 5);
    shop.assert_clean().await;
}

#[tokio::test]
async fn order_processes_killed_in_the_middle_of_their_settlement_lose_nothing() {
    let shop = start_unhealed(Layout::Separately).await;
    let customer = Customer::with_balance(&shop.entrance(), 5).await;
    shop.stop(Role::Payment(1)).await;
    let placed = join_all((0..10).map(|_| customer.place(1))).await;
    // The decisions come when the order service can no longer write them down.
    let lock = lock_writes(&shop, Service::Orders).await;
    shop.start_again(Role::Payment(1)).await;
    a_write_waits(&shop, Service::Orders).await;
    for replica in [Role::Order(1), Role::Order(2)] {
        shop.kill(replica);
    }
    lock.rollback().await.unwrap();
    for replica in [Role::Order(1), Role::Order(2)] {
        shop.start_again(replica).await;
    }
    customer.ended(&placed, SOON).await;
    assert_eq!(customer.check_books(5).await, 5);
    shop.assert_clean().await;
}

/// Holds up every write to a service's own tables, and no read.
async fn lock_writes(shop: &Shop, service: Service) -> PgTransaction<'static> {
    let admin = shop.database(service).admin_pool();
    let tables = tables_of(&admin, service).await;
    let mut tx = admin.begin().await.unwrap();
    let statement = format!("lock table {tables} in share mode");
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut *tx)
        .await
        .unwrap();
    tx
}

/// Waits until somebody waits for the lock.
async fn a_write_waits(shop: &Shop, service: Service) {
    let admin = shop.database(service).admin_pool();
    poll_until("a settlement waits", SOON, async || {
        let waits: bool = sqlx::query_scalar(
            "select exists (
                 select from pg_stat_activity
                 where datname = current_database() and wait_event_type = 'Lock'
             )",
        )
        .fetch_one(&admin)
        .await
        .unwrap();
        waits.then_some(())
    })
    .await;
}
