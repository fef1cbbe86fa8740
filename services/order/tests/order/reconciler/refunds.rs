//! Orders that were given up and whose request for the money is lost.

use contracts::OrderId;
use order::{ReconcileSettings, reconcile::Turn, status::Status};

use super::{
    everything_is_published, id_is_in_the_past, lost, pauses_are_over, reconciler, requests,
    somebody_waits, stuck, turn,
};
use crate::fixture::Shop;

/// An order that was given up and whose request for the money was published and is lost.
async fn lost_refund(shop: &Shop) -> OrderId {
    let id = shop.given_up(7).await;
    everything_is_published(shop).await;
    id_is_in_the_past(shop, OrderId::new()).await;
    id
}

#[tokio::test]
async fn a_lost_request_for_a_refund_is_repeated_under_a_new_id_and_everybody_can_see_it() {
    let shop = Shop::open().await;
    let id = lost_refund(&shop).await;
    let mut reconciler = reconciler(&shop);
    let done = turn(&mut reconciler).await;
    assert_eq!(
        (done.walked, done.walked_refunds, done.found, done.repeated),
        (1, 1, 1, 1)
    );
    let events = requests(&shop, id).await;
    assert_eq!(events.len(), 3);
    let (first, second) = (&events[1], &events[2]);
    assert_eq!(first["type"], "refund.requested.v1");
    assert_ne!(first["id"], second["id"]);
    for same in ["type", "subject", "data"] {
        assert_eq!(first[same], second[same], "{same}");
    }
    let (status, attempt, why): (String, i32, String) =
        sqlx::query_as("select status, attempt, why from orders.repeated_request")
            .fetch_one(&shop.admin)
            .await
            .unwrap();
    assert_eq!((status.as_str(), attempt), ("REFUNDING", 1));
    assert!(why.starts_with("REFUNDING "), "{why}");
    let read = shop.get(7, &format!("/api/v1/orders/{id}")).await;
    let steps = read.json["timeline"].as_array().unwrap();
    assert_eq!(steps.last().unwrap()["step"], "refund_requested_again");
    let seen = stuck(&shop).await;
    assert_eq!((seen[0].order_id, seen[0].status), (id, Status::Refunding));

    shop.refund(&[id]).await;
    assert_eq!(turn(&mut reconciler).await.decided, 1);
    assert_eq!(stuck(&shop).await, []);
    assert_eq!(turn(&mut reconciler).await, Turn::default(), "walked once");
}

#[tokio::test]
async fn an_order_that_was_just_given_up_or_is_refunded_is_left_alone() {
    let shop = Shop::open().await;
    let refunded = lost_refund(&shop).await;
    shop.refund(&[refunded]).await;
    let mut young = order::reconciler(&shop.state, ReconcileSettings::default());
    assert_eq!(turn(&mut young).await, Turn::default());
    young.release().await.unwrap();
    let done = turn(&mut reconciler(&shop)).await;
    assert_eq!((done.walked_refunds, done.found, done.repeated), (1, 0, 0));
}

#[tokio::test]
async fn an_order_that_was_stuck_before_it_was_paid_has_all_its_attempts_when_it_is_given_up() {
    let shop = Shop::open().await;
    let id = lost(&shop).await;
    let mut reconciler = reconciler(&shop);
    for _ in 0..3 {
        turn(&mut reconciler).await;
        everything_is_published(&shop).await;
        pauses_are_over(&shop).await;
    }
    assert_eq!(stuck(&shop).await[0].next_attempt_at, None, "given up");
    // Paid and given up before anybody has looked at it again.
    shop.settle(&[id]).await;
    assert_eq!(shop.cancel(7, id, "k", "\"2\"").await.status, 202);
    everything_is_published(&shop).await;
    id_is_in_the_past(&shop, OrderId::new()).await;
    let mut repeated = 0;
    for _ in 0..4 {
        repeated += turn(&mut reconciler).await.repeated;
        everything_is_published(&shop).await;
        pauses_are_over(&shop).await;
    }
    assert_eq!(repeated, 2);
    let attempts: Vec<(String, i32)> =
        sqlx::query_as("select status, attempt from orders.repeated_request order by at")
            .fetch_all(&shop.admin)
            .await
            .unwrap();
    let expected = [("NEW", 1), ("NEW", 2), ("REFUNDING", 1), ("REFUNDING", 2)];
    let expected = expected.map(|(status, attempt)| (status.to_owned(), attempt));
    assert_eq!(attempts, expected);
}

#[tokio::test]
async fn an_order_that_is_paid_and_given_up_under_the_reconcilers_hands_is_not_asked_to_pay_again()
{
    let shop = Shop::open().await;
    let id = lost(&shop).await;
    let mut changing = shop.writer.begin().await.unwrap();
    sqlx::query(
        "update orders.orders set status = 'REFUNDING', version = 3, decided_at = now() where id = $1",
    )
    .bind(id.as_uuid())
    .execute(&mut *changing)
    .await
    .unwrap();
    let mut reconciler = reconciler(&shop);
    let waiting = turn(&mut reconciler);
    let committing = async {
        somebody_waits(&shop).await;
        changing.commit().await.unwrap();
    };
    let (done, ()) = tokio::join!(waiting, committing);
    assert_eq!((done.found, done.repeated), (1, 0));
    assert_eq!(requests(&shop, id).await.len(), 1);
}

#[tokio::test]
async fn the_walk_along_refunds_passes_none_of_those_that_began_at_the_same_instant() {
    let shop = Shop::open().await;
    shop.place_many(7, 5_500).await;
    shop.damage(
        "update orders.orders set status = 'REFUNDING', version = 3, decided_at = now();
        insert into orders.status_history (order_id, user_id, version, status, at)
            select id, user_id, 3, 'REFUNDING', '2026-01-01' from orders.orders",
    )
    .await;
    let mut reconciler = reconciler(&shop);
    assert_eq!(turn(&mut reconciler).await.walked_refunds, 5_000);
    assert_eq!(turn(&mut reconciler).await.walked_refunds, 500);
    assert_eq!(turn(&mut reconciler).await.walked_refunds, 0);
    assert_eq!(shop.count("orders.stuck").await, 5_500);
}
