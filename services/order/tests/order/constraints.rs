//! What the tables refuse by themselves, each by a constraint of its own name.

use sqlx::AssertSqlSafe;

use crate::fixture::Shop;

async fn refused_by(shop: &Shop, constraint: &str, statement: String) {
    let outcome = sqlx::query(AssertSqlSafe(statement.clone()))
        .execute(&shop.admin)
        .await;
    let error = outcome.expect_err(&statement);
    let refused_by = error
        .as_database_error()
        .and_then(|error| error.constraint().map(str::to_owned));
    assert_eq!(
        refused_by.as_deref(),
        Some(constraint),
        "{statement}: {error}"
    );
}

#[tokio::test]
async fn no_order_can_be_what_an_order_must_not_be() {
    let shop = Shop::open().await;
    shop.placed(7).await;
    for (constraint, change) in [
        ("orders_user_id_positive", "user_id = 0"),
        ("orders_amount_positive", "amount_minor = 0"),
        ("orders_currency_known", "currency = 'EUR'"),
        ("orders_description_length", "description = ''"),
        (
            "orders_description_length",
            "description = repeat('щ', 501)",
        ),
        ("orders_status_known", "status = 'PAID', decided_at = now()"),
        ("orders_version_positive", "version = 0"),
        (
            "orders_reason_known",
            "status = 'CANCELLED', decided_at = now(), reason = 'bad_mood'",
        ),
        (
            "orders_reason_explains_cancellation",
            "reason = 'no_account'",
        ),
        ("orders_trace_id_length", "trace_id = 'A'"),
        ("orders_decided_once_left_new", "decided_at = now()"),
        ("orders_decided_once_left_new", "status = 'FINISHED'"),
    ] {
        refused_by(
            &shop,
            constraint,
            format!("update orders.orders set {change}"),
        )
        .await;
    }
}

#[tokio::test]
async fn no_history_can_be_what_history_must_not_be() {
    let shop = Shop::open().await;
    shop.placed(7).await;
    for (constraint, change) in [
        ("status_history_user_id_positive", "user_id = 0"),
        ("status_history_version_positive", "version = 0"),
        ("status_history_status_known", "status = 'PAID'"),
        (
            "status_history_reason_known",
            "status = 'CANCELLED', reason = 'bad_mood'",
        ),
        (
            "status_history_reason_explains_cancellation",
            "reason = 'no_account'",
        ),
    ] {
        refused_by(
            &shop,
            constraint,
            format!("update orders.status_history set {change}"),
        )
        .await;
    }
    let again = "insert into orders.status_history (order_id, user_id, version, status, at)
        select order_id, user_id, version, 'FINISHED', now() from orders.status_history";
    refused_by(
        &shop,
        "status_history_order_id_version_key",
        again.to_owned(),
    )
    .await;
}
