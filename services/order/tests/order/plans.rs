//! The plans of the hot statements: an index range each, never the whole table. Each is planned while its tables are empty,
//! as by a program that starts with a new shop, and carried out when they are full.

mod told;

use std::fmt::Display;

use sqlx::{PgConnection, Postgres, pool::PoolConnection};
use tests::{
    Login,
    plan::{self, Plan, run},
};
use uuid::Uuid;

use crate::fixture::Shop;

/// A role's connection that has planned the statement with these parts in an empty shop.
async fn planned(shop: &Shop, login: Login, parts: &[&str]) -> PoolConnection<Postgres> {
    plan::planned(&shop.database, login, env!("CARGO_MANIFEST_DIR"), parts).await
}

/// From now on it is customer 7 who asks.
async fn of_customer_7(connection: &mut PgConnection) {
    sqlx::query("select set_config('gozon.user_id', '7', false)")
        .execute(connection)
        .await
        .unwrap();
}

/// 30,000 orders of 300 users in 100 transactions.
async fn fill(shop: &Shop) {
    shop.damage(
        "do $$
        declare batch integer;
        begin
            for batch in 0..99 loop
                insert into orders.orders
                    (id, user_id, amount_minor, currency, description, status, version, trace_id, created_at)
                select ('018f' || lpad(to_hex(batch * 300 + i), 8, '0') || '70008000' || lpad(to_hex(i), 12, '0'))::uuid,
                       i, 100, 'RUB', 'Laces', 'NEW', 1, repeat('a', 32), now()
                from generate_series(1, 300) as i;
                insert into orders.status_history (order_id, user_id, version, status, at)
                select id, user_id, 1, 'NEW', now() from orders.orders order by number desc limit 300;
                commit;
            end loop;
        end $$",
    )
    .await;
}

/// The ids of some orders, wherever they lie.
async fn some_orders(shop: &Shop, user_id: Option<i64>, count: i64) -> Vec<Uuid> {
    sqlx::query_scalar(
        "select id from orders.orders where $1 is null or user_id = $1 order by random() limit $2",
    )
    .bind(user_id)
    .bind(count)
    .fetch_all(&shop.admin)
    .await
    .unwrap()
}

/// An array as Postgres reads it.
fn array<T: Display>(values: impl IntoIterator<Item = T>) -> String {
    let values = values.into_iter().map(|value| value.to_string());
    format!("{{{}}}", values.collect::<Vec<_>>().join(","))
}

fn repeated(value: &str, times: usize) -> String {
    array(std::iter::repeat_n(value, times))
}

fn check(plan: &Plan, index: &str) {
    assert!(plan.0.contains(index), "{index} is not used:\n{}", plan.0);
    for table in ["orders", "status_history"] {
        plan.assert_never_scans(table);
    }
}

#[tokio::test]
async fn placing_orders_reads_no_table_and_fires_no_trigger() {
    let shop = Shop::open().await;
    let placing = &["insert into orders.orders", "with ordinality"];
    let mut writer = planned(&shop, Login::Writer, placing).await;
    fill(&shop).await;
    let id = Uuid::now_v7();
    shop.damage(&format!(
        "insert into messaging.idempotency_key (user_id, key, request_digest, resource_id)
        values (9, 'taken', '', '{id}')"
    ))
    .await;
    let ids = array([Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7()]);
    let digest = r#""\\x00""#;
    let traceparent = "00-00000000000000000000000000000000-0000000000000000-00";
    let values = [
        // Their keys, of which one is taken.
        "{7,8,9}",
        "{one,other,taken}",
        &repeated(digest, 3),
        &ids,
        // The orders, what they begin their histories with, and their events.
        &ids,
        "{f,f,f}",
        "{7,8,9}",
        "{100,200,300}",
        "{RUB,RUB,RUB}",
        "{Laces,Skates,Skis}",
        &repeated(&"a".repeat(32), 3),
        "{now,now,now}",
        "{NULL,NULL,NULL}",
        "{1,2,3}",
        &array([Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7()]),
        &repeated("order.placed.v1", 3),
        &repeated(traceparent, 3),
        &repeated(digest, 3),
        "NEW",
        "1",
    ];
    let plan = run(&mut writer, &values).await;
    for part in [
        "Conflict Arbiter Indexes: idempotency_key_pkey",
        "Conflicting Tuples: 1",
        // One look at each key that was free, however many orders there are.
        "hashed SubPlan",
        "Insert on orders",
        "Insert on status_history",
        "Insert on outbox",
    ] {
        assert!(plan.0.contains(part), "{part}: {}", plan.0);
    }
    for never in ["Scan using", "Seq Scan", "Bitmap", "Trigger"] {
        assert!(!plan.0.contains(never), "{}", plan.0);
    }
}

#[tokio::test]
async fn an_order_is_one_look_into_an_index_under_row_level_security() {
    let shop = Shop::open().await;
    let order = &["from orders.orders", "id = $1 and user_id = $2"];
    let mut api = planned(&shop, Login::Api, order).await;
    fill(&shop).await;
    of_customer_7(&mut api).await;
    let id = some_orders(&shop, Some(7), 1).await[0].to_string();
    let plan = run(&mut api, &[&id, "7"]).await;
    // By its key, or by its owner and its key.
    check(&plan, "Index Scan using orders_");
    assert!(plan.0.contains("rows=1 "), "{}", plan.0);
    assert!(plan.buffers() < 10, "{}", plan.0);
}

#[tokio::test]
async fn the_history_of_an_order_is_one_look_into_an_index_under_row_level_security() {
    let shop = Shop::open().await;
    let history = &[
        "from orders.status_history",
        "user_id = $2",
        "order by version",
    ];
    let mut api = planned(&shop, Login::Api, history).await;
    fill(&shop).await;
    of_customer_7(&mut api).await;
    let id = some_orders(&shop, Some(7), 1).await[0].to_string();
    let plan = run(&mut api, &[&id, "7"]).await;
    check(&plan, "status_history_order_id_version_key");
    assert!(plan.0.contains("rows=1 "), "{}", plan.0);
    assert!(plan.buffers() < 10, "{}", plan.0);
}

#[tokio::test]
async fn the_repeated_requests_of_an_order_are_one_look_into_an_index_under_row_level_security() {
    let shop = Shop::open().await;
    let repeated = &["from orders.repeated_request", "user_id = $2"];
    let mut api = planned(&shop, Login::Api, repeated).await;
    fill(&shop).await;
    shop.damage(
        "insert into orders.repeated_request (order_id, attempt, user_id, event_id, at, why)
        select id, attempt, user_id, gen_random_uuid(), now(), 'It was NEW for too long.'
        from orders.orders, generate_series(1, 2) as attempt",
    )
    .await;
    of_customer_7(&mut api).await;
    let id = some_orders(&shop, Some(7), 1).await[0].to_string();
    let plan = run(&mut api, &[&id, "7"]).await;
    plan.assert_reads_by("repeated_request_pkey");
    assert!(plan.0.contains("rows=2 "), "{}", plan.0);
    assert!(plan.buffers() < 10, "{}", plan.0);
}

#[tokio::test]
async fn the_list_reads_one_index_range_under_row_level_security() {
    let shop = Shop::open().await;
    let list = &["user_id = $1 and id < $2", "order by id desc"];
    let mut api = planned(&shop, Login::Api, list).await;
    fill(&shop).await;
    of_customer_7(&mut api).await;
    let plan = run(&mut api, &["7", &Uuid::max().to_string(), "21"]).await;
    check(&plan, "orders_user_id_id_idx");
    assert!(!plan.0.contains("Sort"), "{}", plan.0);
}

#[tokio::test]
async fn the_tail_reads_what_is_new_by_the_index_on_xid() {
    let shop = Shop::open().await;
    let tail = &["from orders.status_history", "present as materialized"];
    let mut writer = planned(&shop, Login::Writer, tail).await;
    fill(&shop).await;
    let xmax: String = sqlx::query_scalar("select pg_snapshot_xmax(pg_current_snapshot())::text")
        .fetch_one(&shop.admin)
        .await
        .unwrap();
    shop.place_many(7, 10).await;
    let running = array([xmax.parse::<u64>().unwrap() - 1]);
    let plan = run(&mut writer, &[&xmax, &running, "1000"]).await;
    check(&plan, "status_history_xid_idx");
    assert!(
        plan.0.contains("rows=10 ") || plan.0.contains("rows=11 "),
        "{}",
        plan.0
    );
}

#[tokio::test]
async fn a_further_page_of_the_tail_goes_on_along_the_index_on_xid() {
    let shop = Shop::open().await;
    let page = &["from orders.status_history", "rows with ties"];
    let mut writer = planned(&shop, Login::Writer, page).await;
    fill(&shop).await;
    let (until, last): (String, String) = sqlx::query_as(
        "select pg_current_snapshot()::text, max(xid::text::bigint)::text from orders.status_history",
    )
    .fetch_one(&shop.admin)
    .await
    .unwrap();
    shop.place_many(7, 10).await;
    // A transaction that was running then is one look into the index, however much was written since.
    let plan = run(&mut writer, &[&last, &until, "{3}", "1000"]).await;
    check(&plan, "status_history_xid_idx");
}

#[tokio::test]
async fn a_resume_reads_one_users_orders_however_many_others_there_are() {
    let shop = Shop::open().await;
    let mut api = planned(&shop, Login::Api, &["orders.xmin", "order by id desc"]).await;
    fill(&shop).await;
    of_customer_7(&mut api).await;
    let plan = run(&mut api, &["7", "21"]).await;
    check(&plan, "orders_user_id_id_idx");
    assert!(!plan.0.contains("Sort"), "{}", plan.0);
}

#[tokio::test]
async fn settlement_finds_its_orders_by_their_key() {
    let shop = Shop::open().await;
    let lock = &["for no key update", "select id, status"];
    let mut lock = planned(&shop, Login::Writer, lock).await;
    let apply = &[
        "update orders.orders",
        "insert into orders.status_history",
        "unnest",
    ];
    let mut apply = planned(&shop, Login::Writer, apply).await;
    fill(&shop).await;
    let ids = array(some_orders(&shop, None, 100).await);
    let locked = run(&mut lock, &[&ids]).await;
    check(&locked, "orders_pkey");
    let (statuses, reasons, now) = (
        repeated("FINISHED", 100),
        repeated("NULL", 100),
        repeated("now", 100),
    );
    let traces = repeated("NULL", 100);
    let expected = repeated("NEW", 100);
    let events = &ids;
    let values = [
        &ids, &statuses, &reasons, &now, &now, "now", &traces, &expected, events,
    ];
    let applied = run(&mut apply, &values).await;
    check(&applied, "orders_pkey");
    // Sorted before the orders are touched: two batches lock what they have in common in the same order.
    let order = ["Update on orders", "Nested Loop", "Sort Key: decided"];
    let places: Vec<_> = order.map(|node| applied.0.find(node)).into();
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{}",
        applied.0
    );
}

#[tokio::test]
async fn the_last_transaction_of_everybody_is_one_look_into_an_index() {
    let shop = Shop::open().await;
    let everybodys = &["pg_control_system", "status_history.xid desc"];
    let mut writer = planned(&shop, Login::Writer, everybodys).await;
    fill(&shop).await;
    let of_everybody = run(&mut writer, &[]).await;
    check(&of_everybody, "status_history_xid_idx");
    assert!(
        of_everybody.0.contains("Limit") && !of_everybody.0.contains("Sort"),
        "{}",
        of_everybody.0
    );
}

#[tokio::test]
async fn the_reconcilers_walk_and_the_count_of_undecided_orders_read_a_range_of_the_primary_key() {
    let shop = Shop::open().await;
    let walk = &[
        "page as materialized",
        "orders.stuck",
        "id > $1 and id < $2",
    ];
    let mut walk = planned(&shop, Login::Writer, walk).await;
    let mut count = planned(&shop, Login::Writer, &["undecided!"]).await;
    fill(&shop).await;
    let mark: Uuid =
        sqlx::query_scalar("select id from orders.orders order by id desc offset 500 limit 1")
            .fetch_one(&shop.admin)
            .await
            .unwrap();
    shop.damage(&format!(
        "insert into orders.reconciler (mark) values ('{mark}')"
    ))
    .await;
    // Before the walk these are undecided behind the mark, and after it they are stuck.
    let before = run(&mut count, &["1000000"]).await;
    check(&before, "orders_pkey");
    assert!(before.0.contains("rows=500 "), "{}", before.0);
    let until = Uuid::max().to_string();
    let walk = run(&mut walk, &[&mark.to_string(), &until, "5000", "now"]).await;
    check(&walk, "orders_pkey");
    assert!(walk.0.contains("rows=500 "), "{}", walk.0);
    let after = run(&mut count, &["1000000"]).await;
    check(&after, "orders_pkey");
    assert!(after.0.contains("rows=500 "), "{}", after.0);
}

#[tokio::test]
async fn stuck_orders_whose_turn_it_is_are_a_range_of_an_index() {
    let shop = Shop::open().await;
    let due = &["from orders.stuck", "next_attempt_at <= $1"];
    let mut writer = planned(&shop, Login::Writer, due).await;
    // One in a thousand is due, and every tenth had its last attempt.
    shop.damage(
        "insert into orders.stuck (order_id, since, requested_at, next_attempt_at)
         select gen_random_uuid(), now(), now() - interval '1 hour',
                now() + case when n % 1000 = 0 then interval '-1 minute' when n % 10 > 0 then interval '1 hour' end
         from generate_series(1, 30000) as n",
    )
    .await;
    let plan = run(&mut writer, &["now", "now", "1000"]).await;
    plan.assert_reads_by("stuck_next_attempt_at_idx");
    assert!(
        plan.0.contains("rows=30 ") && !plan.0.contains("Sort"),
        "{}",
        plan.0
    );
    // Each of the rows may lie on a page of its own.
    assert!(plan.buffers() < 60, "{}", plan.0);
}

#[tokio::test]
async fn the_walk_along_refunds_reads_a_range_of_its_own_small_index() {
    let shop = Shop::open().await;
    let walk = &["page as materialized", "(at, order_id) > ($1, $2)"];
    let mut walk = planned(&shop, Login::Writer, walk).await;
    fill(&shop).await;
    shop.damage(
        "insert into orders.status_history (order_id, user_id, version, status, at)
            select id, user_id, 3, 'REFUNDING', created_at from orders.orders order by id limit 300;
        insert into orders.reconciler default values",
    )
    .await;
    let nobody = Uuid::nil().to_string();
    let values = ["epoch", &nobody, "tomorrow", "5000", "now"];
    let plan = run(&mut walk, &values).await;
    check(&plan, "status_history_refunding_idx");
    assert!(plan.0.contains("rows=300 "), "{}", plan.0);
}

#[tokio::test]
async fn giving_an_order_up_looks_into_indexes_only() {
    let shop = Shop::open().await;
    let lock = &["for no key update", "user_id = $2 and id = $1"];
    let mut lock = planned(&shop, Login::Writer, lock).await;
    let change = &["update orders.orders", "set status = $5"];
    let mut change = planned(&shop, Login::Writer, change).await;
    fill(&shop).await;
    let id = some_orders(&shop, Some(7), 1).await[0].to_string();
    let locked = run(&mut lock, &[&id, "7"]).await;
    check(&locked, "Index Scan using orders_");
    shop.damage(&format!(
        "update orders.orders set status = 'FINISHED', version = 2, decided_at = now() where id = '{id}'"
    ))
    .await;
    let event = &*id;
    let values = [
        &*id,
        "7",
        "FINISHED",
        "2",
        "REFUNDING",
        "now",
        "NULL",
        event,
    ];
    let changed = run(&mut change, &values).await;
    check(&changed, "Index Scan using orders_");
}
