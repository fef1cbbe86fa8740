//! Bad requests of `/api/v1`: each gets its problem, and nothing changes.

mod addresses;
mod bodies;
mod fields;

use serde_json::Value;
use tests::{Answer, Customer, Shop, customer::new_key, entrance::Call, shop::SharedShop};

const BALANCE: i64 = 1_000;

/// Somebody with money, in the shop that stands as long as the test holds it.
async fn customer() -> (SharedShop, Customer) {
    let shop = Shop::shared().await;
    let customer = Customer::with_balance(&shop.entrance(), BALANCE).await;
    (shop, customer)
}

async fn post(
    customer: &Customer,
    path: &str,
    content_type: &str,
    body: impl Into<Vec<u8>>,
) -> Answer {
    let call = Call::post(path)
        .header("idempotency-key", new_key())
        .body(content_type, body);
    customer.send(call).await
}

async fn refuse(customer: &Customer, path: &str, body: &str, status: u16, code: &str) {
    let answer = post(customer, path, "application/json", body).await;
    let found = serde_json::from_str::<Value>(&answer.text).unwrap_or_default()["code"].clone();
    assert_eq!(
        (answer.status, found.as_str()),
        (status, Some(code)),
        "{path} {body:.200}: {}",
        answer.text
    );
    answer.expect_problem(status, code);
}

async fn unchanged(customer: &Customer) {
    assert_eq!(customer.balance().await, BALANCE);
    assert_eq!(customer.entries().await.len(), 1);
    assert_eq!(customer.orders().await, []);
}
