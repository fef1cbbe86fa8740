//! What the tail reads of the orders it tells sockets about, and what is written down of what they took.

use tests::{Login, plan::run};
use uuid::Uuid;

use super::{array, check, fill, planned, some_orders};
use crate::fixture::Shop;

/// A look into an index of two levels for each of a hundred orders, and a page of the table for each.
const HUNDRED_ORDERS_BUFFERS: u64 = 350;

#[tokio::test]
async fn the_contents_of_changed_orders_are_read_by_the_primary_key() {
    let shop = Shop::open().await;
    let contents = &["select id, number, description", "where id = any($1)"];
    let mut writer = planned(&shop, Login::Writer, contents).await;
    fill(&shop).await;
    let ids = array(some_orders(&shop, None, 100).await);
    let plan = run(&mut writer, &[&ids]).await;
    check(&plan, "orders_pkey");
    assert!(plan.0.contains("rows=100 "), "{}", plan.0);
    assert!(plan.buffers() < HUNDRED_ORDERS_BUFFERS, "{}", plan.0);
}

#[tokio::test]
async fn when_changed_orders_were_decided_is_read_by_the_primary_key() {
    let shop = Shop::open().await;
    let decided = &["where id = any($1) and decided_at is not null"];
    let mut writer = planned(&shop, Login::Writer, decided).await;
    fill(&shop).await;
    shop.damage(
        "update orders.orders set status = 'FINISHED', version = 2, decided_at = now() where user_id = 7",
    )
    .await;
    let ids = array(some_orders(&shop, Some(7), 100).await);
    let plan = run(&mut writer, &[&ids]).await;
    check(&plan, "orders_pkey");
    assert!(plan.0.contains("rows=100 "), "{}", plan.0);
    assert!(plan.buffers() < HUNDRED_ORDERS_BUFFERS, "{}", plan.0);
}

#[tokio::test]
async fn writing_the_push_log_reads_no_table_and_fires_no_trigger() {
    let shop = Shop::open().await;
    let append = &["insert into orders.push_log"];
    let mut writer = planned(&shop, Login::Writer, append).await;
    shop.damage(
        "insert into orders.push_log (replica, first_order, last_order, order_ids, versions, pushed_at, sockets)
         select 'one', id, id, array[id], '{1}', array[now()], '{1}'
         from generate_series(1, 30000), lateral (select gen_random_uuid() as id) as placed",
    )
    .await;
    let (first, last) = (Uuid::now_v7(), Uuid::now_v7());
    let values = [
        "one",
        &first.to_string(),
        &last.to_string(),
        &array([first, last]),
        "{1,2}",
        "{now,now}",
        "{1,3}",
    ];
    let plan = run(&mut writer, &values).await;
    for never in ["Scan using", "Seq Scan", "Bitmap", "Trigger"] {
        assert!(!plan.0.contains(never), "{}", plan.0);
    }
}
