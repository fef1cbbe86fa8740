//! The plans of the hot statements on a filled table: an index range each, never the whole table.
//!
//! The statements are those the program was compiled with: their texts are taken from the checked ones in `.sqlx`.

use sqlx::{AssertSqlSafe, PgConnection, Postgres, postgres::PgArguments, query::Query};
use tests::Login;
use uuid::Uuid;

use crate::fixture::Shop;

/// The text of the one checked statement that contains all these parts.
fn statement(parts: &[&str]) -> String {
    tests::plan::statement(env!("CARGO_MANIFEST_DIR"), parts)
}

/// 30,000 orders of 300 users in 100 transactions, two thirds decided.
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
    shop.damage("analyze orders.orders; analyze orders.status_history")
        .await;
}

type Binds = Query<'static, Postgres, PgArguments>;

/// The plan as text, and the indexes it reads.
async fn plan(
    connection: &mut PgConnection,
    statement: &str,
    bind: impl FnOnce(Binds) -> Binds,
) -> String {
    let explain = sqlx::query(AssertSqlSafe(format!(
        "explain (analyze, buffers, costs off) {statement}"
    )));
    let rows = bind(explain).fetch_all(connection).await.unwrap();
    let lines = rows.iter().map(|row| sqlx::Row::get::<String, _>(row, 0));
    lines.collect::<Vec<_>>().join("\n")
}

fn check(plan: &str, index: &str) {
    assert!(plan.contains(index), "{index} is not used:\n{plan}");
    for table in ["orders", "status_history"] {
        assert!(
            !plan.contains(&format!("Seq Scan on {table}")),
            "the whole table is read:\n{plan}"
        );
    }
}

#[tokio::test]
async fn the_list_reads_one_index_range_under_row_level_security() {
    let shop = Shop::open().await;
    fill(&shop).await;
    let list = statement(&["user_id = $1 and id < $2", "order by id desc"]);
    let mut tx = shop.database.pool(Login::Api).begin().await.unwrap();
    sqlx::query("select set_config('gozon.user_id', '7', true)")
        .execute(&mut *tx)
        .await
        .unwrap();
    let plan = plan(&mut tx, &list, |query| {
        query.bind(7_i64).bind(Uuid::max()).bind(21_i64)
    })
    .await;
    check(&plan, "orders_user_id_id_idx");
    assert!(!plan.contains("Sort"), "{plan}");
}

#[tokio::test]
async fn the_tail_reads_what_is_new_by_the_index_on_xid() {
    let shop = Shop::open().await;
    fill(&shop).await;
    let xmax: String = sqlx::query_scalar("select pg_snapshot_xmax(pg_current_snapshot())::text")
        .fetch_one(&shop.admin)
        .await
        .unwrap();
    shop.place_many(7, 10).await;
    let tail = statement(&["from orders.status_history", "present as materialized"]);
    let mut connection = shop.writer.acquire().await.unwrap();
    let running = vec![(xmax.parse::<u64>().unwrap() - 1).to_string()];
    let plan = plan(&mut connection, &tail, |query| {
        query.bind(xmax).bind(running).bind(1_000_i64)
    })
    .await;
    check(&plan, "status_history_xid_idx");
    assert!(
        plan.contains("rows=10 ") || plan.contains("rows=11 "),
        "{plan}"
    );
}

#[tokio::test]
async fn a_further_page_of_the_tail_goes_on_along_the_index_on_xid() {
    let shop = Shop::open().await;
    fill(&shop).await;
    let (until, last): (String, String) = sqlx::query_as(
        "select pg_current_snapshot()::text, max(xid::text::bigint)::text from orders.status_history",
    )
    .fetch_one(&shop.admin)
    .await
    .unwrap();
    shop.place_many(7, 10).await;
    let page = statement(&["from orders.status_history", "rows with ties"]);
    let mut connection = shop.writer.acquire().await.unwrap();
    // A transaction that was running then is one look into the index, however much was written since.
    let running = vec!["3".to_owned()];
    let plan = plan(&mut connection, &page, |query| {
        query.bind(last).bind(until).bind(running).bind(1_000_i64)
    })
    .await;
    check(&plan, "status_history_xid_idx");
}

#[tokio::test]
async fn a_resume_reads_one_users_orders_however_many_others_there_are() {
    let shop = Shop::open().await;
    fill(&shop).await;
    let resume = statement(&["orders.xmin", "order by id desc"]);
    let mut tx = shop.database.pool(Login::Api).begin().await.unwrap();
    sqlx::query("select set_config('gozon.user_id', '7', true)")
        .execute(&mut *tx)
        .await
        .unwrap();
    let plan = plan(&mut tx, &resume, |query| query.bind(7_i64).bind(21_i64)).await;
    check(&plan, "orders_user_id_id_idx");
    assert!(!plan.contains("Sort"), "{plan}");
}

#[tokio::test]
async fn settlement_finds_its_orders_by_their_key() {
    let shop = Shop::open().await;
    fill(&shop).await;
    let ids: Vec<Uuid> =
        sqlx::query_scalar("select id from orders.orders order by random() limit 100")
            .fetch_all(&shop.admin)
            .await
            .unwrap();
    let mut tx = shop.writer.begin().await.unwrap();
    let lock = statement(&["for no key update", "select id, status"]);
    let locked = plan(&mut tx, &lock, |query| query.bind(ids.clone())).await;
    check(&locked, "orders_pkey");
    let apply = statement(&[
        "update orders.orders",
        "insert into orders.status_history",
        "unnest",
    ]);
    let now = vec![time::OffsetDateTime::now_utc(); ids.len()];
    let applied = plan(&mut tx, &apply, |query| {
        query
            .bind(ids.clone())
            .bind(vec!["FINISHED"; ids.len()])
            .bind(vec![None::<String>; ids.len()])
            .bind(now.clone())
            .bind(now.clone())
            .bind(now[0])
            .bind(vec![None::<String>; ids.len()])
            .bind(vec!["NEW"; ids.len()])
    })
    .await;
    check(&applied, "orders_pkey");
    // Sorted before the orders are touched: two batches lock what they have in common in the same order.
    let order = ["Update on orders", "Nested Loop", "Sort Key: decided"];
    let places: Vec<_> = order.map(|node| applied.find(node)).into();
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{applied}"
    );
}

#[tokio::test]
async fn the_last_transaction_of_everybody_is_one_look_into_an_index() {
    let shop = Shop::open().await;
    fill(&shop).await;
    let everybodys = statement(&["pg_control_system", "status_history.xid desc"]);
    let mut connection = shop.writer.acquire().await.unwrap();
    let of_everybody = plan(&mut connection, &everybodys, |query| query).await;
    check(&of_everybody, "status_history_xid_idx");
    assert!(
        of_everybody.contains("Limit") && !of_everybody.contains("Sort"),
        "{of_everybody}"
    );
}

#[tokio::test]
async fn the_reconcilers_walk_and_the_count_of_undecided_orders_read_a_range_of_the_primary_key() {
    let shop = Shop::open().await;
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
    let walk = statement(&[
        "page as materialized",
        "orders.stuck",
        "from orders.orders\n            where id > $1",
    ]);
    let mut tx = shop.writer.begin().await.unwrap();
    let walk = plan(&mut tx, &walk, |query| {
        let now = time::OffsetDateTime::now_utc();
        query.bind(mark).bind(Uuid::max()).bind(5_000_i64).bind(now)
    })
    .await;
    check(&walk, "orders_pkey");
    assert!(walk.contains("rows=500 "), "{walk}");
    tx.rollback().await.unwrap();

    let count = statement(&["undecided!"]);
    shop.damage("insert into orders.stuck (order_id, since, requested_at) select id, now(), now() from orders.orders order by id limit 500")
        .await;
    let mut connection = shop.writer.acquire().await.unwrap();
    let count = plan(&mut connection, &count, |query| query.bind(1_000_000_i64)).await;
    check(&count, "orders_pkey");
    assert!(count.contains("rows=500 "), "{count}");
}

#[tokio::test]
async fn the_walk_along_refunds_reads_a_range_of_its_own_small_index() {
    let shop = Shop::open().await;
    fill(&shop).await;
    shop.damage(
        "insert into orders.status_history (order_id, user_id, version, status, at)
            select id, user_id, 3, 'REFUNDING', created_at from orders.orders order by id limit 300;
        insert into orders.reconciler default values;
        analyze orders.status_history",
    )
    .await;
    let walk = statement(&["page as materialized", "(at, order_id) > ($1, $2)"]);
    let mut tx = shop.writer.begin().await.unwrap();
    let walk = plan(&mut tx, &walk, |query| {
        let now = time::OffsetDateTime::now_utc();
        let until = now + time::Duration::hours(1);
        let epoch = time::OffsetDateTime::UNIX_EPOCH;
        query
            .bind(epoch)
            .bind(Uuid::nil())
            .bind(until)
            .bind(5_000_i64)
            .bind(now)
    })
    .await;
    check(&walk, "status_history_refunding_idx");
    assert!(walk.contains("rows=300 "), "{walk}");
}
