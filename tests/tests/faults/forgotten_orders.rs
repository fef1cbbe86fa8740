//! The order service's tables emptied while the payment service remembers everything: the original then took new orders
//! for old ones, because their numbers came back.

use std::time::Duration;

use sqlx::AssertSqlSafe;
use tests::{Customer, Service, Shop};

use crate::tables::tables_of;

const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn orders_placed_after_the_order_tables_were_emptied_are_no_duplicates() {
    let shop = Shop::start_all().await;
    let customer = Customer::with_balance(&shop.entrance(), 1_000).await;
    let mut before = Vec::new();
    for _ in 0..5 {
        before.push(customer.place(100).await);
    }
    customer.ended(&before, SOON).await;
    assert_eq!(customer.balance().await, 500);

    empty_order_tables(&shop).await;
    assert_eq!(customer.orders().await, []);

    let mut after = Vec::new();
    for _ in 0..6 {
        after.push(customer.place(100).await);
    }
    let numbers = |orders: &[tests::customer::Order]| -> Vec<i64> {
        orders.iter().map(|order| order.number).collect()
    };
    assert_eq!(
        numbers(&after)[..5],
        numbers(&before),
        "the numbers came back"
    );
    let ended = customer.ended(&after, SOON).await;
    let finished = ended.iter().filter(|order| order.status == "FINISHED");
    assert_eq!(finished.count(), 5);
    assert_eq!(customer.balance().await, 0);
    let debits = customer.entries().await;
    let debits = debits.iter().filter(|entry| entry.kind == "PAYMENT");
    assert_eq!(debits.count(), 10);
    audit_tells_what_is_gone(&shop, before.len()).await;
}

/// The orders that were lost with their tables are found missing everywhere something is left of them, and nothing else
/// is wrong.
async fn audit_tells_what_is_gone(shop: &Shop, gone: usize) {
    let audit = shop.audit(&[]).await;
    let wrong = audit.violations();
    let of_the_lost = [
        "key_without_order",
        "request_without_order",
        "decision_without_order",
    ];
    let expected = of_the_lost.map(|check| (check.to_owned(), gone as u64));
    assert_eq!(wrong, expected, "{:#}", audit.report);
}

async fn empty_order_tables(shop: &Shop) {
    let admin = shop.database(Service::Orders).admin_pool();
    let tables = tables_of(&admin, Service::Orders).await;
    let statement = format!("truncate {tables} restart identity");
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&admin)
        .await
        .unwrap();
}
