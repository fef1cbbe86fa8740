//! How an audit looks: what seems wrong is looked at again, and each time the orders are read before the payments.
//!
//! A lock on the accounts holds an audit up when both snapshots of a look are taken and nothing is judged yet.

use std::time::Duration;

use sqlx::{PgConnection, PgPool, PgTransaction};
use tests::{Service, Shop, poll_until};

use super::{planted::Planted, resting_shop};

const SOON: Duration = Duration::from_secs(20);

/// Damage that is seen order by order, damage that set-based checks see, and what repairs both.
const DAMAGE: &str = "
    update payments.payment set amount_minor = 41 where order_id = '{order}';
    update payments.account set balance_minor = balance_minor + 1 where id = '{account}';";
const REPAIR: &str = "
    update payments.payment set amount_minor = 40 where order_id = '{order}';
    update payments.account set balance_minor = balance_minor - 1 where id = '{account}';";

/// What the damage breaks.
const BROKEN: [&str; 3] = [
    "debit_unlike_decision",
    "order_unlike_decision",
    "balance_unlike_entries",
];

/// A shop with one paid order, on which something is wrong.
async fn damaged_shop() -> (Shop, Planted, PgPool) {
    let shop = resting_shop().await;
    let orders = shop.database(Service::Orders).admin_pool();
    let payments = shop.database(Service::Payments).admin_pool();
    let planted = Planted::new(1);
    planted.plant_healthy(&orders, &payments).await;
    planted.run(&payments, DAMAGE).await;
    (shop, planted, payments)
}

/// Holds up whoever reads an account; waits itself until nobody reads one.
async fn lock_accounts(payments: &PgPool) -> PgTransaction<'static> {
    let mut tx = payments.begin().await.unwrap();
    sqlx::raw_sql("lock table payments.account in access exclusive mode")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx
}

/// Waits until an audit of this shop is held up in a look; says how many microseconds after the orders it began to read
/// the payments.
async fn held_up(shop: &Shop, lock: &mut PgConnection) -> i64 {
    let [orders, payments] = Service::ALL.map(|service| shop.database(service).name());
    poll_until("the audit is held up", SOON, async || {
        // Inside a transaction the server shows the same activity again and again, unless told to look anew.
        sqlx::raw_sql("select pg_stat_clear_snapshot()")
            .execute(&mut *lock)
            .await
            .unwrap();
        sqlx::query_scalar(
            "select (extract(epoch from of_payments.xact_start - of_orders.xact_start) * 1000000)::bigint
             from pg_stat_activity as of_orders, pg_stat_activity as of_payments
             where of_orders.datname = $1 and of_orders.application_name = 'gozon audit'
               and of_payments.datname = $2 and of_payments.application_name = 'gozon audit'
               and of_payments.wait_event_type = 'Lock'",
        )
        .bind(orders)
        .bind(payments)
        .fetch_optional(&mut *lock)
        .await
        .unwrap()
    })
    .await
}

#[tokio::test]
async fn what_is_right_at_the_second_look_was_only_on_its_way() {
    let (shop, planted, payments) = damaged_shop().await;
    let mut lock = lock_accounts(&payments).await;
    let repaired = async {
        held_up(&shop, &mut lock).await;
        // The first look has its snapshots: it sees the damage all the same, and the second one the repair.
        planted.run_on(&mut lock, REPAIR).await;
        lock.commit().await.unwrap();
    };
    let (audit, ()) = tokio::join!(shop.audit(&[]), repaired);
    audit.assert_holds();
}

#[tokio::test]
async fn what_is_still_wrong_at_the_second_look_is_wrong_and_both_looks_read_the_orders_first() {
    let (shop, _, payments) = damaged_shop().await;
    let mut first = lock_accounts(&payments).await;
    let watched = async {
        let in_first_look = held_up(&shop, &mut first).await;
        // It stands behind the audit in the line, so it gets the lock when the first look has ended.
        let second = lock_accounts(&payments);
        let (released, second) = tokio::join!(first.rollback(), second);
        released.unwrap();
        let mut second = second;
        let in_second_look = held_up(&shop, &mut second).await;
        second.rollback().await.unwrap();
        [in_first_look, in_second_look]
    };
    let (audit, later) = tokio::join!(shop.audit(&[]), watched);
    assert!(later.iter().all(|later| *later > 0), "{later:?}");
    let found = audit.violations();
    let found: Vec<_> = found.iter().map(|(check, _)| check.as_str()).collect();
    assert_eq!(found, BROKEN, "{:#}", audit.report);
}
