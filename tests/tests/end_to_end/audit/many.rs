//! More orders than an audit holds in memory at once: both sides are read in pages that end at the same order.

use sqlx::{AssertSqlSafe, PgPool};
use tests::Service;

use super::resting_shop;

/// More than two pages, and no multiple of one.
const ORDERS: usize = 12_345;

/// The ids of the orders, the same in both databases; in another order than the orders were placed in.
const ID: &str = "md5('order' || n)::uuid";

async fn run(pool: &PgPool, statements: &str) {
    let statements = statements
        .replace("{id}", ID)
        .replace("{orders}", &ORDERS.to_string());
    sqlx::raw_sql(AssertSqlSafe(statements))
        .execute(pool)
        .await
        .unwrap();
}

#[tokio::test]
async fn every_order_is_held_against_its_own_payment_across_pages() {
    let shop = resting_shop().await;
    let (orders, payments) = (
        shop.database(Service::Orders).admin_pool(),
        shop.database(Service::Payments).admin_pool(),
    );
    run(
        &orders,
        "insert into orders.orders (id, user_id, amount_minor, currency, description, status, version, reason, trace_id,
                                    created_at, decided_at)
            select {id}, n, n, 'RUB', 'Laces', 'CANCELLED', 2, 'no_account', repeat('a', 32), now(), now()
            from generate_series(1, {orders}) as n;
        insert into orders.status_history (order_id, user_id, version, status, at)
            select {id}, n, version, case version when 1 then 'NEW' else 'CANCELLED' end, now()
            from generate_series(1, {orders}) as n, generate_series(1, 2) as version",
    )
    .await;
    run(
        &payments,
        "insert into payments.payment
            (order_id, user_id, amount_minor, currency, outcome, reason, received_at, decided_at)
            select {id}, n, n, 'RUB', 'DECLINED', 'no_account', now(), now()
            from generate_series(1, {orders}) as n;
        insert into messaging.outbox (lane, key, event_id, type, traceparent, body)
            select 0, {id}, gen_random_uuid(), 'payment.declined.v1', '', '' from generate_series(1, {orders}) as n",
    )
    .await;
    let audit = shop.assert_clean().await;
    assert_eq!(audit.report["seen"]["cancelled"], ORDERS);
    assert_eq!(audit.report["seen"]["declined"], ORDERS);

    // The sides are of different lengths now, so their pages would end at different orders.
    run(&orders, "delete from orders.orders where user_id % 30 = 0").await;
    run(
        &payments,
        "update payments.payment set amount_minor = 1 where user_id = 10000",
    )
    .await;
    let audit = shop.audit(&["--examples", "1"]).await;
    let found = |check: &str| {
        let promises = audit.report["promises"].as_array().into_iter().flatten();
        let mut checks =
            promises.flat_map(|promise| promise["checks"].as_array().into_iter().flatten());
        checks
            .find(|found| found["check"] == check)
            .unwrap()
            .clone()
    };
    for check in ["decision_without_order", "history_without_order"] {
        assert_eq!(found(check)["violations"], ORDERS / 30, "{check}");
    }
    assert_eq!(found("order_unlike_decision")["violations"], 1);
    assert_eq!(found("order_without_decision")["violations"], 0);
}
