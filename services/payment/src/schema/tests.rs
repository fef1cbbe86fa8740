//! What each login role may and may not do, tried; and that migrating can be repeated.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use tests::{Login, Service, TestDatabase, poll_until};

use crate::testing::{Shop, migrated, roles};

const PERMISSION_DENIED: &str = "42501";

/// A shop with an account, entries and a payment in it: what must not be touched is there to be touched.
async fn furnished() -> Shop {
    let shop = Shop::open().await;
    shop.customer(1, 5_000).await;
    sqlx::raw_sql(
        "insert into payments.payment
         values (gen_random_uuid(), 1, 100, 'RUB', 'DECLINED', 'no_account', now(), now())",
    )
    .execute(shop.settings.writer_pool.unmeasured())
    .await
    .unwrap();
    shop
}

/// The SQLSTATE of a statement that fails.
async fn refusal(pool: &PgPool, statement: &str) -> Option<String> {
    let outcome = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(pool)
        .await;
    let error = outcome.err()?.into_database_error()?;
    error.code().map(std::borrow::Cow::into_owned)
}

async fn check_denied(shop: &Shop, login: Login, statements: &[&str]) {
    let before = shop.contents().await;
    let pool = shop.database.pool(login);
    for statement in statements {
        let code = refusal(&pool, statement).await;
        assert_eq!(
            code.as_deref(),
            Some(PERMISSION_DENIED),
            "{login:?}: {statement}"
        );
    }
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn nobody_but_the_owner_changes_the_schema() {
    let shop = furnished().await;
    for login in [Login::Api, Login::Writer, Login::Relay, Login::Audit] {
        // "must be owner" and "permission denied" share their SQLSTATE.
        check_denied(
            &shop,
            login,
            &[
                "create table payments.mine (id int)",
                "create table public.mine (id int)",
                "create schema mine",
                "create temporary table mine (id int)",
                "drop policy payments_api on payments.account",
                "alter table payments.account add column note text",
                "alter table payments.account disable row level security",
                "alter table payments.account drop constraint account_balance_not_negative",
                "drop table payments.ledger_entry",
                "drop index payments.ledger_entry_order_id_kind_key",
                "truncate payments.ledger_entry",
                "insert into payments._migrations select * from payments._migrations",
                "delete from payments._migrations",
            ],
        )
        .await;
    }
}

#[tokio::test]
async fn the_ledger_and_the_decisions_are_append_only_for_everyone() {
    let shop = furnished().await;
    for login in [Login::Api, Login::Writer, Login::Relay, Login::Audit] {
        check_denied(
            &shop,
            login,
            &[
                "update payments.ledger_entry set amount_minor = 1",
                "update payments.ledger_entry set balance_after_minor = 1",
                "delete from payments.ledger_entry",
                "update payments.payment set outcome = 'CAPTURED', reason = null",
                "delete from payments.payment",
                "delete from payments.account",
            ],
        )
        .await;
    }
}

#[tokio::test]
async fn the_writer_changes_balances_and_nothing_else_of_an_account() {
    let shop = furnished().await;
    check_denied(
        &shop,
        Login::Writer,
        &[
            "update payments.account set user_id = 2",
            "update payments.account set currency = 'RUB'",
            "update payments.account set id = gen_random_uuid()",
            "update payments.account set created_at = now()",
            "set role payments_owner",
            "set role payments_audit",
        ],
    )
    .await;
    let numbered = "insert into payments.ledger_entry (id, number, account_id, kind, amount_minor, balance_after_minor)
        select gen_random_uuid(), 1000000, id, 'TOP_UP', 1, 1 from payments.account";
    let generated_always = Some("428C9".to_owned());
    assert_eq!(
        refusal(shop.settings.writer_pool.unmeasured(), numbered).await,
        generated_always
    );
}

#[tokio::test]
async fn the_api_only_reads_accounts_and_entries() {
    let shop = furnished().await;
    check_denied(
        &shop,
        Login::Api,
        &[
            "insert into payments.account (id, user_id, currency) values (gen_random_uuid(), 9, 'RUB')",
            "update payments.account set balance_minor = 1000000",
            "select balance_minor from payments.account for update",
            "insert into payments.ledger_entry (id, account_id, kind, amount_minor, balance_after_minor)
                values (gen_random_uuid(), gen_random_uuid(), 'TOP_UP', 1, 1)",
            "select * from payments.payment",
            "insert into messaging.outbox (lane, key, event_id, type, traceparent, body)
                values (0, gen_random_uuid(), gen_random_uuid(), 'order.placed.v1', '', '')",
            "select * from messaging.idempotency_key",
            "set role payments_writer",
            "set session authorization payments_writer",
        ],
    )
    .await;
}

#[tokio::test]
async fn the_relay_sees_nothing_of_the_payments() {
    let shop = furnished().await;
    check_denied(
        &shop,
        Login::Relay,
        &[
            "select * from payments.account",
            "select * from payments.payment",
            "select * from payments.ledger_entry",
            "insert into payments.account (id, user_id, currency) values (gen_random_uuid(), 9, 'RUB')",
            "set role payments_writer",
        ],
    )
    .await;
}

#[tokio::test]
async fn the_audit_reads_everything_and_changes_nothing() {
    let shop = furnished().await;
    check_denied(
        &shop,
        Login::Audit,
        &[
            "insert into payments.account (id, user_id, currency) values (gen_random_uuid(), 9, 'RUB')",
            "update payments.account set balance_minor = 1000000",
            "insert into payments.payment
                values (gen_random_uuid(), 1, 100, 'RUB', 'CAPTURED', null, now(), now())",
            "set role payments_writer",
        ],
    )
    .await;
    let audit = shop.database.pool(Login::Audit);
    for table in ["account", "payment", "ledger_entry"] {
        let statement = format!("select count(*) from payments.{table}");
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(statement))
            .fetch_one(&audit)
            .await
            .unwrap();
        assert_eq!(count, 1, "{table}");
    }
}

#[tokio::test]
async fn migrating_again_changes_nothing_and_a_newer_version_is_tolerated() {
    let database = migrated().await;
    let admin = database.admin_pool();
    let state = async || -> String {
        sqlx::query_scalar(
            "select string_agg(line, e'\n' order by line) from (
                select format('%s %s %s', oid, polname, polrelid::regclass) as line from pg_policy
                union all
                select format('%s %s', oid::regclass, relacl) from pg_class
                where relnamespace = 'payments'::regnamespace
             ) as catalog",
        )
        .fetch_one(&admin)
        .await
        .unwrap()
    };
    let before = state().await;
    sqlx::query(
        "insert into payments._migrations (version, description, installed_on, success, checksum, execution_time)
         values (9999, 'of a newer version', now(), true, '', 0)",
    )
    .execute(&admin)
    .await
    .unwrap();
    let mut owner = PgConnection::connect(database.url(Login::Owner))
        .await
        .unwrap();
    crate::schema::migrate(&mut owner, &roles(&database))
        .await
        .unwrap();
    assert_eq!(state().await, before);
    crate::schema::wait(&database.pool(Login::Writer)).await;
}

#[tokio::test]
async fn the_owner_may_be_every_login() {
    let database = TestDatabase::create(Service::Payments).await;
    let owner_name = database.role(Login::Owner).to_owned();
    let everything = messaging::schema::Roles {
        api: owner_name.clone(),
        writer: owner_name.clone(),
        relay: owner_name.clone(),
        audit: owner_name,
        everyone: None,
    };
    let mut owner = PgConnection::connect(database.url(Login::Owner))
        .await
        .unwrap();
    for _first_and_again in 0..2 {
        messaging::schema::migrate(&mut owner, &everything)
            .await
            .unwrap();
        crate::schema::migrate(&mut owner, &everything)
            .await
            .unwrap();
    }
    crate::schema::wait(&database.pool(Login::Owner)).await;
}

#[tokio::test]
async fn a_service_waits_until_the_schema_is_there() {
    let database = TestDatabase::create(Service::Payments).await;
    let waiting = [Login::Api, Login::Writer].map(|login| {
        let pool = database.pool(login);
        tokio::spawn(async move { crate::schema::wait(&pool).await })
    });
    let mut owner = PgConnection::connect(database.url(Login::Owner))
        .await
        .unwrap();
    messaging::schema::migrate(&mut owner, &roles(&database))
        .await
        .unwrap();
    assert!(waiting.iter().all(|task| !task.is_finished()));
    crate::schema::migrate(&mut owner, &roles(&database))
        .await
        .unwrap();
    poll_until("the services go on", Duration::from_secs(5), async || {
        waiting
            .iter()
            .all(tokio::task::JoinHandle::is_finished)
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_no_code_should_write_the_tables_refuse() {
    let shop = furnished().await;
    let entry = "insert into payments.ledger_entry (id, account_id, order_id, kind, amount_minor, balance_after_minor)
        select gen_random_uuid(), id,";
    let payment = "insert into payments.payment values (gen_random_uuid(),";
    for (statement, constraint) in [
        ("update payments.account set balance_minor = -1".to_owned(), "account_balance_not_negative"),
        ("update payments.account set user_id = 0".to_owned(), "account_user_id_positive"),
        ("update payments.account set currency = 'USD'".to_owned(), "account_currency_known"),
        (
            "insert into payments.account (id, user_id, currency) values (gen_random_uuid(), 1, 'RUB')".to_owned(),
            "account_user_id_key",
        ),
        (format!("{payment} 1, 0, 'RUB', 'CAPTURED', null, now(), now())"), "payment_amount_positive"),
        (format!("{payment} 0, 1, 'RUB', 'CAPTURED', null, now(), now())"), "payment_user_id_positive"),
        (format!("{payment} 1, 1, 'USD', 'CAPTURED', null, now(), now())"), "payment_currency_known"),
        (format!("{payment} 1, 1, 'RUB', 'REFUNDED', null, now(), now())"), "payment_outcome_known"),
        (format!("{payment} 1, 1, 'RUB', 'DECLINED', null, now(), now())"), "payment_reason_if_declined"),
        (format!("{payment} 1, 1, 'RUB', 'DECLINED', 'whim', now(), now())"), "payment_reason_known"),
        (
            "insert into payments.payment select * from payments.payment".to_owned(),
            "payment_pkey",
        ),
        (format!("{entry} null, 'TOP_UP', -1, 0 from payments.account"), "ledger_entry_sign_fits_kind"),
        (format!("{entry} gen_random_uuid(), 'PAYMENT', 1, 0 from payments.account"), "ledger_entry_sign_fits_kind"),
        (format!("{entry} null, 'PAYMENT', -1, 0 from payments.account"), "ledger_entry_order_fits_kind"),
        (format!("{entry} null, 'GIFT', 1, 0 from payments.account"), "ledger_entry_kind_known"),
        (
            format!("{entry} null, 'TOP_UP', 1, -1 from payments.account"),
            "ledger_entry_balance_after_not_negative",
        ),
        (
            format!("{entry} '01935a3c-7f1e-7abc-8def-0123456789ab'::uuid, 'PAYMENT', -1, 0
                from payments.account, generate_series(1, 2)"),
            "ledger_entry_order_id_kind_key",
        ),
    ] {
        let error = sqlx::raw_sql(AssertSqlSafe(statement.clone())).execute(&shop.admin).await.unwrap_err();
        let error = error.into_database_error().unwrap();
        assert_eq!(error.constraint(), Some(constraint), "{statement}: {error}");
    }
}
