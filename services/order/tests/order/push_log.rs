//! The push log's upkeep, as the login that writes it.

use std::time::Duration;

use tests::poll_until;
use tokio_util::sync::CancellationToken;

use crate::fixture::Shop;

#[tokio::test]
async fn what_was_pushed_is_forgotten_after_three_days_and_not_before() {
    let shop = Shop::open().await;
    sqlx::query(
        "insert into orders.push_log
             (written_at, replica, first_order, last_order, order_ids, versions, pushed_at, sockets)
         select now() - hours * interval '1 hour', 'one', id, id, array[id], '{1}', array[now()], '{1}'
         from unnest(array[71, 73, 100]) as hours, lateral (select gen_random_uuid() as id) as placed",
    )
    .execute(&shop.admin)
    .await
    .unwrap();
    let over = CancellationToken::new();
    let writer = order::push_log_writer(&shop.state, "two".to_owned());
    let running = tokio::spawn(writer.run(over.clone()));
    poll_until("what is old is gone", Duration::from_secs(20), async || {
        let left: i64 = sqlx::query_scalar("select count(*) from orders.push_log")
            .fetch_one(&shop.admin)
            .await
            .unwrap();
        assert!(left > 0, "what is younger is gone, too");
        (left == 1).then_some(())
    })
    .await;
    over.cancel();
    running.await.unwrap();
}
