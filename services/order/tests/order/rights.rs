//! What each login may not do, tried; and row level security, alone.

use sqlx::{AssertSqlSafe, Row};
use tests::{Login, Service, TestDatabase};

use crate::fixture::{Shop, roles};

/// SQLSTATE of a missing right.
const INSUFFICIENT_PRIVILEGE: &str = "42501";

async fn refused(shop: &Shop, login: Login, statement: &str) {
    let outcome = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(&shop.database.pool(login))
        .await;
    let code = outcome
        .as_ref()
        .err()
        .and_then(|error| error.as_database_error()?.code());
    assert_eq!(
        code.as_deref(),
        Some(INSUFFICIENT_PRIVILEGE),
        "{login:?}: {statement}: {outcome:?}"
    );
}

#[tokio::test]
async fn each_login_is_refused_what_it_must_not_do() {
    let shop = Shop::open().await;
    shop.placed(7).await;
    let before = shop.contents().await;
    let insert_order = "insert into orders.orders
        (id, user_id, amount_minor, currency, description, status, version, trace_id, created_at)
        values (gen_random_uuid(), 7, 1, 'RUB', 'x', 'NEW', 1, repeat('a', 32), now())";
    let insert_history =
        "insert into orders.status_history (order_id, user_id, version, status, at)
        values (gen_random_uuid(), 7, 1, 'NEW', now())";
    let backdated =
        "insert into orders.status_history (xid, order_id, user_id, version, status, at)
        values ('3', gen_random_uuid(), 7, 1, 'NEW', now())";
    let update_history = "update orders.status_history set status = 'FINISHED'";
    let update_price = "update orders.orders set amount_minor = 1";
    let settle = "update orders.orders set status = 'FINISHED'";
    let (delete_orders, delete_history) = (
        "delete from orders.orders",
        "delete from orders.status_history",
    );
    let (truncate, drop) = ("truncate orders.orders", "drop table orders.orders");
    let create = "create table orders.mine (id int)";
    let rewrite_audit = "update orders.repeated_request set why = ''";
    let steal_the_lease = "update orders.reconciler set holder = null";
    let forge = "update orders._migrations set success = true";
    let reads = [
        "select * from orders.orders",
        "select * from orders.status_history",
    ];
    let writes = [
        insert_order,
        insert_history,
        backdated,
        update_history,
        update_price,
        settle,
        delete_orders,
        delete_history,
        truncate,
        drop,
        create,
        forge,
        rewrite_audit,
        steal_the_lease,
        "insert into orders.stuck default values",
        "delete from orders.stuck",
    ];
    for statement in writes {
        for login in [Login::Api, Login::Audit, Login::Relay] {
            refused(&shop, login, statement).await;
        }
    }
    for statement in [
        backdated,
        update_history,
        update_price,
        delete_orders,
        delete_history,
        truncate,
        drop,
        create,
        forge,
        rewrite_audit,
        "delete from orders.repeated_request",
        "delete from orders.reconciler",
    ] {
        refused(&shop, Login::Writer, statement).await;
    }
    for statement in reads {
        refused(&shop, Login::Relay, statement).await;
    }
    for statement in [
        "select * from orders.stuck",
        "select * from orders.reconciler",
    ] {
        refused(&shop, Login::Api, statement).await;
    }
    for login in [Login::Writer, Login::Relay, Login::Audit] {
        refused(&shop, login, "set role orders_everyone").await;
        refused(&shop, login, "set role orders_owner").await;
    }
    refused(
        &shop,
        Login::Api,
        "begin; set local role orders_everyone; select * from orders.status_history",
    )
    .await;
    refused(
        &shop,
        Login::Api,
        "begin; set local role orders_everyone; update orders.orders set status = 'NEW'",
    )
    .await;
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn nobody_was_granted_to_change_or_delete_history() {
    let shop = Shop::open().await;
    let granted: Vec<String> = sqlx::query_scalar(
        "select format('%s %s', grantee, privilege_type) from information_schema.role_table_grants
        where table_schema = 'orders' and table_name = 'status_history' and grantee <> 'orders_owner'
          and privilege_type in ('UPDATE', 'DELETE', 'TRUNCATE')",
    )
    .fetch_all(&shop.admin)
    .await
    .unwrap();
    assert!(granted.is_empty(), "{granted:?}");
}

#[tokio::test]
async fn row_level_security_alone_keeps_users_apart() {
    let shop = Shop::open().await;
    shop.placed(7).await;
    shop.placed(8).await;
    shop.damage(
        "insert into orders.repeated_request (order_id, attempt, user_id, event_id, at, why)
        select id, 1, user_id, gen_random_uuid(), now(), 'lost' from orders.orders",
    )
    .await;
    let api = shop.database.pool(Login::Api);
    for table in [
        "orders.orders",
        "orders.status_history",
        "orders.repeated_request",
    ] {
        let everything = format!("select user_id from {table}");
        let mut tx = api.begin().await.unwrap();
        sqlx::query("select set_config('gozon.user_id', '7', true)")
            .execute(&mut *tx)
            .await
            .unwrap();
        let rows = sqlx::query(AssertSqlSafe(everything.clone()))
            .fetch_all(&mut *tx)
            .await
            .unwrap();
        let owners: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(owners, [7], "{table}");
        tx.commit().await.unwrap();
        // The setting ended with the transaction: the same connection speaks for nobody again.
        let rows = sqlx::query(AssertSqlSafe(everything))
            .fetch_all(&api)
            .await
            .unwrap();
        assert!(rows.is_empty(), "{table}");
    }
}

#[tokio::test]
async fn the_list_of_everyone_needs_its_role_to_be_taken() {
    let shop = Shop::open().await;
    shop.placed(7).await;
    shop.placed(8).await;
    let api = shop.database.pool(Login::Api);
    let count = "select count(*) from orders.orders";
    let mut tx = api.begin().await.unwrap();
    let without: i64 = sqlx::query_scalar(count).fetch_one(&mut *tx).await.unwrap();
    sqlx::query("set local role orders_everyone")
        .execute(&mut *tx)
        .await
        .unwrap();
    let with: i64 = sqlx::query_scalar(count).fetch_one(&mut *tx).await.unwrap();
    assert_eq!((without, with), (0, 2));
}

#[tokio::test]
async fn migrating_again_changes_nothing_and_a_newer_version_is_tolerated() {
    let shop = Shop::open().await;
    shop.placed(7).await;
    shop.damage(
        "insert into orders._migrations (version, description, success, checksum, execution_time)
        values (9999, 'of a newer program', true, '', 0)",
    )
    .await;
    let before = shop.contents().await;
    let policies = "select string_agg(format('%s %s %s %s', tablename, policyname, roles, oid), ', ' order by oid)
        from pg_policies join pg_policy on polname = policyname and polrelid::regclass::text = 'orders.' || tablename";
    let read = || sqlx::query_scalar::<_, String>(policies).fetch_one(&shop.admin);
    let policies_before = read().await.unwrap();
    let owner = shop.database.pool(Login::Owner);
    let mut connection = owner.acquire().await.unwrap();
    order::schema::migrate(&mut connection, &roles(&shop.database))
        .await
        .unwrap();
    assert_eq!(
        read().await.unwrap(),
        policies_before,
        "no policy was made again"
    );
    assert_eq!(shop.contents().await, before);
    order::schema::wait(&shop.database.pool(Login::Api)).await;
    order::schema::wait(&shop.writer).await;
}

#[tokio::test]
async fn the_owner_may_be_every_login() {
    let database = TestDatabase::create(Service::Orders).await;
    let owner_name = database.role(Login::Owner).to_owned();
    let everything = messaging::schema::Roles {
        api: owner_name.clone(),
        writer: owner_name.clone(),
        relay: owner_name.clone(),
        audit: owner_name.clone(),
        everyone: Some(owner_name),
    };
    let owner = database.pool(Login::Owner);
    let mut connection = owner.acquire().await.unwrap();
    for _first_and_again in 0..2 {
        messaging::schema::migrate(&mut connection, &everything)
            .await
            .unwrap();
        order::schema::migrate(&mut connection, &everything)
            .await
            .unwrap();
    }
    order::schema::wait(&owner).await;
}

#[tokio::test]
async fn outside_a_demo_the_role_of_everyone_sees_nothing() {
    let shop = Shop::open().await;
    shop.placed(7).await;
    let owner = shop.database.pool(Login::Owner);
    let mut connection = owner.acquire().await.unwrap();
    let production = messaging::schema::Roles {
        everyone: None,
        ..roles(&shop.database)
    };
    order::schema::migrate(&mut connection, &production)
        .await
        .unwrap();
    let mut tx = shop.database.pool(Login::Api).begin().await.unwrap();
    sqlx::query("set local role orders_everyone")
        .execute(&mut *tx)
        .await
        .unwrap();
    let rows = sqlx::query("select id from orders.orders")
        .fetch_all(&mut *tx)
        .await
        .unwrap();
    assert!(rows.is_empty());
}
