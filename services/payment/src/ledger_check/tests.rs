//! The ledger check: it finds what was planted, however many entries an account has, and one process checks at a time.

use ::tests::{Login, plan, poll_until};
use uuid::Uuid;

use super::*;
use crate::testing::Shop;

/// More than a page and a stretch of an account's entries hold.
const MANY_ENTRIES: i64 = PAGE_ENTRIES + STRETCH_ENTRIES + 7;

fn check(shop: &Shop) -> LedgerCheck {
    LedgerCheck::new(
        shop.settings.writer_pool.unmeasured().clone(),
        shop.settings.metrics.clone(),
    )
}

/// What a pass finds.
async fn drift(shop: &Shop) -> Drift {
    let mut connection = shop.settings.writer_pool.acquire().await.unwrap();
    check(shop).pass(&mut connection).await.unwrap();
    shop.settings.metrics.drift().unwrap()
}

async fn damage(shop: &Shop, statement: &'static str) {
    sqlx::raw_sql(statement).execute(&shop.admin).await.unwrap();
}

#[tokio::test]
async fn a_balance_that_is_not_the_sum_of_its_entries_shows_and_is_gone_when_it_is_mended() {
    let shop = Shop::open().await;
    // More accounts than a page has.
    for user_id in 1..=PAGE_ACCOUNTS + 2 {
        shop.customer(user_id, 100).await;
    }
    assert_eq!(drift(&shop).await, Drift::default());
    damage(
        &shop,
        "update payments.account set balance_minor = balance_minor + 30 where user_id = 2;
         update payments.account set balance_minor = balance_minor - 5 where user_id = 51",
    )
    .await;
    let planted = Drift {
        accounts: 2,
        minor: 35,
    };
    assert_eq!(drift(&shop).await, planted);
    // Any replica tells what the last pass found, whoever made it.
    let mut connection = shop.settings.writer_pool.acquire().await.unwrap();
    let told = last_pass(&mut connection).await.unwrap().unwrap();
    assert_eq!((told.drifting_accounts, told.drift_minor), (2, 35));
    assert_eq!(told.accounts, PAGE_ACCOUNTS + 2);
    damage(&shop, "update payments.account set balance_minor = 100").await;
    assert_eq!(drift(&shop).await, Drift::default());
}

#[tokio::test]
async fn an_entry_that_was_changed_or_is_missing_shows_although_the_last_one_fits() {
    let shop = Shop::open().await;
    for user_id in [1, 2] {
        shop.customer(user_id, 100).await;
        shop.top_up(user_id, "k", 50).await;
    }
    damage(
        &shop,
        "update payments.ledger_entry set amount_minor = 101
         where amount_minor = 100 and account_id = (select id from payments.account where user_id = 1);
         delete from payments.ledger_entry
         where amount_minor = 100 and account_id = (select id from payments.account where user_id = 2)",
    )
    .await;
    let planted = Drift {
        accounts: 2,
        minor: 101,
    };
    assert_eq!(drift(&shop).await, planted);
}

#[tokio::test]
async fn an_account_with_more_entries_than_are_read_at_once_is_summed_up_whole() {
    let shop = Shop::open().await;
    shop.customer(1, 0).await;
    sqlx::query(
        "insert into payments.ledger_entry (id, account_id, kind, amount_minor, balance_after_minor)
         select gen_random_uuid(), account.id, 'TOP_UP', 3, 3 * n
         from payments.account, generate_series(1, $1) as n",
    )
    .bind(MANY_ENTRIES)
    .execute(&shop.admin)
    .await
    .unwrap();
    sqlx::query("update payments.account set balance_minor = 3 * $1")
        .bind(MANY_ENTRIES)
        .execute(&shop.admin)
        .await
        .unwrap();
    assert_eq!(drift(&shop).await, Drift::default());
    damage(
        &shop,
        "update payments.account set balance_minor = balance_minor + 1",
    )
    .await;
    let planted = Drift {
        accounts: 1,
        minor: 1,
    };
    assert_eq!(drift(&shop).await, planted);
}

#[tokio::test]
async fn one_process_checks_and_another_takes_over_when_it_is_gone() {
    let shop = Shop::open().await;
    let (one, other) = (check(&shop), check(&shop));
    let held = one.lock().await.unwrap();
    assert!(held.is_some());
    assert!(other.lock().await.unwrap().is_none());
    sqlx::Connection::close(held.unwrap()).await.unwrap();
    poll_until("the lock is free", READ_TIME_MAX, async || {
        other.lock().await.unwrap().map(drop)
    })
    .await;
}

#[tokio::test]
async fn a_page_and_a_stretch_are_ranges_of_their_indexes_however_much_there_is() {
    let shop = Shop::open().await;
    let mut writer = shop.database.pool(Login::Writer).acquire().await.unwrap();
    for (name, part) in [
        ("page", "id > $1 order by id limit $2"),
        ("more", "account_id = $1 and number > $2"),
    ] {
        let statement = plan::statement(env!("CARGO_MANIFEST_DIR"), &[part]);
        plan::prepare(&mut writer, name, &statement).await;
    }
    damage(
        &shop,
        "insert into payments.account (id, user_id, currency)
         select gen_random_uuid(), n, 'RUB' from generate_series(1, 2000) as n;
         insert into payments.ledger_entry (id, account_id, kind, amount_minor, balance_after_minor)
         select gen_random_uuid(), id, 'TOP_UP', 1, n from payments.account, generate_series(1, 20) as n",
    )
    .await;
    let nil = Uuid::nil().to_string();
    let page = plan::explain(&mut writer, "page", &[&nil, "50", "10"]).await;
    page.assert_reads_by("account_pkey");
    page.assert_reads_by("ledger_entry_account_id_number_key");
    // 50 accounts, and for each a descent and 10 entries on pages of their own.
    assert!(page.buffers() < 50 * 20, "{}", page.0);
    let id: String = sqlx::query_scalar("select id::text from payments.account limit 1")
        .fetch_one(&shop.admin)
        .await
        .unwrap();
    let more = plan::explain(&mut writer, "more", &[&id, "0", "10"]).await;
    more.assert_reads_by("ledger_entry_account_id_number_key");
    assert!(more.buffers() < 40, "{}", more.0);
}
