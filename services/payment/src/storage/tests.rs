//! The second lock, tried alone, and the plans of the hot statements.

use contracts::Money;
use messaging::pool::Pool;
use sqlx::{Connection, PgConnection, postgres::PgPoolOptions};
use tests::{
    Login,
    plan::{outline, prepare},
};

use super::{
    account, ledger, session,
    settle::{self, Settled},
    standing,
};
use crate::{
    limits::PageLimit,
    testing::{Shop, user},
};

/// What a statement without any condition sees.
async fn visible(connection: &mut PgConnection) -> (Vec<i64>, i64) {
    let users = sqlx::query_scalar("select user_id from payments.account order by user_id")
        .fetch_all(&mut *connection)
        .await
        .unwrap();
    let entries = sqlx::query_scalar("select count(*) from payments.ledger_entry")
        .fetch_one(connection)
        .await
        .unwrap();
    (users, entries)
}

#[tokio::test]
async fn row_level_security_alone_shows_each_user_their_own_rows_only() {
    let shop = Shop::open().await;
    shop.customer(1, 100).await;
    shop.customer(2, 100).await;
    shop.top_up(2, "k", 100).await;
    for (id, seen) in [(1, (vec![1], 1)), (2, (vec![2], 2)), (3, (vec![], 0))] {
        let mut tx = session::begin_as(&shop.settings.api_pool, user(id))
            .await
            .unwrap();
        assert_eq!(visible(&mut tx).await, seen, "user {id}");
    }
}

#[tokio::test]
async fn whose_rows_are_seen_ends_with_the_transaction() {
    let shop = Shop::open().await;
    shop.customer(1, 100).await;
    let pool = PgPoolOptions::new().max_connections(1);
    let pool = pool.connect(shop.database.url(Login::Api)).await.unwrap();
    let metrics = &shop.settings.messaging_metrics.database;
    let pool = Pool::new(pool, metrics);
    let mut tx = session::begin_as(&pool, user(1)).await.unwrap();
    assert_eq!(visible(&mut tx).await, (vec![1], 1));
    tx.commit().await.unwrap();
    let mut connection = pool.acquire().await.unwrap();
    assert_eq!(visible(&mut connection).await, (vec![], 0));
}

#[tokio::test]
async fn the_conditions_alone_show_each_user_their_own_rows_only() {
    let shop = Shop::open().await;
    shop.customer(1, 100).await;
    shop.customer(2, 200).await;
    // The writer sees all rows, so only the statements themselves keep the users apart.
    let mut writer = shop.settings.writer_pool.acquire().await.unwrap();
    let (entries_of_1, _) = ledger::list(&mut writer, user(1), None, PageLimit::default())
        .await
        .unwrap();
    assert_eq!(entries_of_1.len(), 1);
    assert_eq!(entries_of_1[0].amount, Money::rub(100));
    let account_of_2 = account::find(&mut writer, user(2)).await.unwrap().unwrap();
    assert_eq!(
        (account_of_2.user_id, account_of_2.balance),
        (user(2), Money::rub(200))
    );
    for (id, found) in [(1, true), (2, false), (3, false)] {
        let entry = ledger::find(&mut writer, user(id), entries_of_1[0].id)
            .await
            .unwrap();
        assert_eq!(entry.is_some(), found, "user {id}");
    }
}

#[tokio::test]
async fn accounts_are_locked_in_the_order_of_their_users_however_they_lie() {
    let shop = Shop::open().await;
    let users = [5, 3, 4, 1, 2];
    for id in users {
        shop.customer(id, 0).await;
    }
    let mut tx = shop.settings.writer_pool.begin().await.unwrap();
    let (_, locked) = standing::read_and_lock(&mut tx, &[], &users.map(user))
        .await
        .unwrap();
    let order: Vec<_> = locked
        .iter()
        .map(|account| account.user_id.as_i64())
        .collect();
    assert_eq!(order, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_balance_is_changed_where_nothing_below_zero_is_left_and_nowhere_else() {
    let shop = Shop::open().await;
    shop.customer(1, 100).await;
    shop.customer(2, 100).await;
    let mut tx = shop.settings.writer_pool.begin().await.unwrap();
    let (_, accounts) = standing::read_and_lock(&mut tx, &[], &[user(1), user(2)])
        .await
        .unwrap();
    let changes = Settled {
        totals: &[(accounts[0].id, -101), (accounts[1].id, -100)],
        ..Settled::default()
    };
    assert_eq!(settle::write(&mut tx, changes).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!((shop.balance(1).await, shop.balance(2).await), (100, 0));
}

/// The statements that the program prepares, as they were checked when it was built.
fn statements() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/.sqlx");
    std::fs::read_dir(folder)
        .unwrap()
        .map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .map(|text| serde_json::from_slice::<serde_json::Value>(&text).unwrap())
        .map(|query| query["query"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn no_statement_scans_a_table_and_the_ledger_is_read_from_its_index() {
    let shop = Shop::open().await;
    // Planned while the shop is new, which is when a program may start.
    let mut planned = Vec::new();
    for login in [Login::Api, Login::Writer] {
        let mut connection = PgConnection::connect(shop.database.url(login))
            .await
            .unwrap();
        let mut own = statements();
        own.retain(|statement| is_run_by(login, statement));
        for (place, statement) in own.iter().enumerate() {
            prepare(&mut connection, &format!("statement_{place}"), statement).await;
        }
        planned.push((login, connection, own));
    }
    sqlx::raw_sql(
        "insert into payments.account (id, user_id, currency)
            select gen_random_uuid(), user_id, 'RUB' from generate_series(1, 20000) as user_id;
        insert into payments.ledger_entry (id, account_id, kind, amount_minor, balance_after_minor)
            select gen_random_uuid(), id, 'TOP_UP', 1, n from payments.account, generate_series(1, 3) as n;
        insert into payments.ledger_entry (id, account_id, order_id, kind, amount_minor, balance_after_minor)
            select gen_random_uuid(), id, gen_random_uuid(), kind, amount_minor, 1
            from payments.account, (values ('PAYMENT', -1), ('REFUND', 1)) as entry (kind, amount_minor);
        insert into payments.payment
            select gen_random_uuid(), 1, 1, 'RUB', 'CAPTURED', null, now(), now() from generate_series(1, 20000)",
    )
    .execute(&shop.admin)
    .await
    .unwrap();
    for (login, connection, own) in &mut planned {
        for (place, statement) in own.iter().enumerate() {
            let plan = outline(connection, &format!("statement_{place}")).await;
            println!("{login:?} {statement}\n{}", plan.0);
            plan.assert_scans_no_table();
            if statement.contains("order by number desc") {
                plan.assert_reads_by(
                    "Index Scan Backward using ledger_entry_account_id_number_key",
                );
                assert!(!plan.0.contains("Sort"), "{login:?}: {}", plan.0);
            }
        }
    }
}

fn is_run_by(login: Login, statement: &str) -> bool {
    // The audit reads whole tables on purpose.
    let audit = [include_str!("audit.rs"), include_str!("audit/refunds.rs")];
    if audit.iter().any(|source| source.contains(statement)) {
        return false;
    }
    let reads = statement.starts_with("select");
    let tables = [
        "payments.account",
        "payments.payment",
        "payments.ledger_entry",
    ];
    let of_ours = tables.iter().any(|table| statement.contains(table));
    match login {
        Login::Writer => of_ours,
        _ => of_ours && reads && !statement.contains("payments.payment"),
    }
}
