//! Requests that an operator gives up: each order gets its answer all the same, and only one.

use messaging::consumer::Discard;

use super::*;

async fn discard(shop: &Shop, request: &Received<PaymentRequest>) {
    let settlement = settlement(shop);
    let mut tx = shop.settings.writer_pool.begin().await.unwrap();
    let discarded = settlement.discard(&mut tx, request).await.unwrap();
    assert_eq!(discarded, Discard::Ended);
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_discarded_request_declines_the_payment_and_costs_nothing() {
    let shop = Shop::open().await;
    shop.customer(1, 10_000).await;
    let order_id = OrderId::new();
    let request = ask(order_id, 1, 3_000);
    discard(&shop, &request).await;
    let given = answers(&shop, order_id).await;
    assert_eq!(given.len(), 1);
    assert_eq!(given[0]["type"], "payment.declined.v1");
    assert_eq!(given[0]["data"]["reason"], "discarded");
    assert_eq!(given[0]["traceparent"], request.trace.to_string());
    // The same request, should it come after all, gets the answer that stands.
    assert_eq!(settle(&shop, &[request]).await, []);
    let given = answers(&shop, order_id).await;
    assert_eq!(given[1]["data"]["reason"], "discarded");
    assert_eq!(shop.balance(1).await, 10_000);
    shop.check_books().await;
}

#[tokio::test]
async fn a_discarded_request_for_a_paid_order_leaves_it_paid() {
    let shop = Shop::open().await;
    shop.customer(1, 10_000).await;
    let order_id = OrderId::new();
    assert_eq!(settle(&shop, &[ask(order_id, 1, 3_000)]).await, []);
    discard(&shop, &ask(order_id, 1, 4_000)).await;
    let given = answers(&shop, order_id).await;
    assert_eq!(given[1]["type"], "payment.captured.v1");
    assert_eq!(count(&shop, "CAPTURED").await, 1);
    assert_eq!(count(&shop, "DECLINED").await, 0);
    shop.check_books().await;
}

#[tokio::test]
async fn a_discarded_request_for_a_refunded_order_is_told_of_both() {
    let shop = Shop::open().await;
    shop.customer(1, 10_000).await;
    let order_id = OrderId::new();
    assert_eq!(settle(&shop, &[ask(order_id, 1, 3_000)]).await, []);
    assert_eq!(settle(&shop, &[ask_back(order_id, 1, 3_000)]).await, []);
    discard(&shop, &ask(order_id, 1, 3_000)).await;
    let given = answers(&shop, order_id).await;
    let types: Vec<_> = given.iter().map(|answer| &answer["type"]).collect();
    assert_eq!(types[2..], ["payment.captured.v1", "payment.refunded.v1"]);
    assert_eq!(given[3]["data"], given[1]["data"]);
    assert_eq!(shop.balance(1).await, 10_000);
    shop.check_books().await;
}
