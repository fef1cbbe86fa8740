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
