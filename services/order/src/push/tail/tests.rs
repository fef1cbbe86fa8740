//! Steps of the tail without a socket.

use ::tests::Login;

use super::*;
use crate::{metrics::Metrics, testing};

#[tokio::test]
async fn the_place_passes_no_transaction_whose_number_a_crash_could_give_again() {
    let database = testing::database().await;
    let writer = database.pool(Login::Writer);
    let hub = Hub::new(Metrics::default());
    let undecided = Undecided::default();
    let mut reader = writer.acquire().await.unwrap();
    let mut place = position::present(&mut reader).await.unwrap();
    for rows in [1, 0, 2] {
        let mut last_xid = place.last_xid();
        for _ in 0..rows {
            let number: i64 = sqlx::query_scalar(
                "insert into orders.status_history (order_id, user_id, version, status, at)
                values (gen_random_uuid(), 7, 1, 'NEW', now())
                returning xid::text::bigint",
            )
            .fetch_one(&writer)
            .await
            .unwrap();
            last_xid = number.cast_unsigned();
        }
        // A number that is given and never reaches the disk.
        let mut undone = writer.begin().await.unwrap();
        sqlx::query("select pg_current_xact_id()")
            .execute(&mut *undone)
            .await
            .unwrap();
        undone.rollback().await.unwrap();
        assert_eq!(
            step(&hub, &undecided, &mut reader, &mut place, 10)
                .await
                .unwrap(),
            rows
        );
        assert_eq!(place.last_xid(), last_xid);
    }
}

#[tokio::test]
async fn late_decisions_make_new_orders_wait_longer_for_theirs() {
    let database = testing::database().await;
    let owner = database.pool(Login::Owner);
    let hub = Hub::new(Metrics::default());
    let undecided = Undecided::default();
    let _socket = hub.subscribe(UserId::try_from(7).unwrap()).unwrap();
    let mut reader = database.pool(Login::Writer).acquire().await.unwrap();
    let mut place = position::present(&mut reader).await.unwrap();
    assert_eq!(hub.hold().get(), *limits::NEW_ORDER_HOLD.start());
    for _ in 0..10 {
        let id = testing::paid_order(&owner).await;
        sqlx::query(
            "insert into orders.status_history (order_id, user_id, version, status, at)
            select id, user_id, version, status, created_at + interval '10 minutes' from orders.orders where id = $1",
        )
        .bind(id.as_uuid())
        .execute(&owner)
        .await
        .unwrap();
    }
    step(&hub, &undecided, &mut reader, &mut place, 100)
        .await
        .unwrap();
    assert!(
        hub.hold().get() > 2 * *limits::NEW_ORDER_HOLD.start(),
        "{:?}",
        hub.hold()
    );
}
