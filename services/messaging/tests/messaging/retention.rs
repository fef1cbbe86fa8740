//! Retention: what is published and old goes by whole partitions, and nothing else does.

use messaging::{operation::Sought, outbox::maintain_partitions};
use sqlx::PgPool;
use tests::{Login, TestDatabase};

use crate::support::{count, database};

/// A partition of ten days ago.
async fn age(db: &TestDatabase, parent: &str) -> String {
    let admin = db.admin_pool();
    let name: String = sqlx::query_scalar(
        "select $1 || to_char((now() at time zone 'utc')::date - 10, '_YYYYMMDD')",
    )
    .bind(parent)
    .fetch_one(&admin)
    .await
    .unwrap();
    let bounds = match parent {
        "inbox" => {
            "messaging.uuid_at(((now() at time zone 'utc')::date - %s)::timestamp at time zone 'utc')"
        }
        _ => "((now() at time zone 'utc')::date - %s)::timestamp at time zone 'utc'",
    };
    let (from, to) = (bounds.replace("%s", "10"), bounds.replace("%s", "9"));
    let statement = format!(
        "do $$ begin execute format('create table messaging.{name} partition of messaging.{parent}
            for values from (%L) to (%L)', {from}, {to}); end $$"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
        .execute(&db.pool(Login::Owner))
        .await
        .unwrap();
    name
}

async fn exists(admin: &PgPool, table: &str) -> bool {
    sqlx::query_scalar("select to_regclass('messaging.' || $1) is not null")
        .bind(table)
        .fetch_one(admin)
        .await
        .unwrap()
}

async fn maintain(db: &TestDatabase) {
    let relay = db.pool(Login::Relay);
    maintain_partitions(&mut relay.acquire().await.unwrap())
        .await
        .unwrap();
}

/// An event of ten days ago; its outbox id.
async fn old_event(db: &TestDatabase) -> i64 {
    sqlx::query_scalar(
        "insert into messaging.outbox (lane, key, event_id, type, traceparent, body, appended_at)
         values (0, gen_random_uuid(), gen_random_uuid(), 'x', 'x', '', now() - interval '10 days')
         returning id",
    )
    .fetch_one(&db.admin_pool())
    .await
    .unwrap()
}

#[tokio::test]
async fn an_outbox_partition_goes_once_every_lane_has_settled_all_of_it() {
    let db = database().await;
    let admin = db.admin_pool();
    let old = age(&db, "outbox").await;
    let id = old_event(&db).await;
    sqlx::query("update messaging.lane set settled_id = $1 where lane > 0")
        .bind(id)
        .execute(&admin)
        .await
        .unwrap();
    maintain(&db).await;
    assert!(exists(&admin, &old).await, "lane 0 has not published it");
    sqlx::query("update messaging.lane set settled_id = $1")
        .bind(id)
        .execute(&admin)
        .await
        .unwrap();
    maintain(&db).await;
    assert!(!exists(&admin, &old).await);
}

#[tokio::test]
async fn old_partitions_of_the_inbox_go_and_its_horizon_moves_with_them() {
    let db = database().await;
    let admin = db.admin_pool();
    let old = age(&db, "inbox").await;
    let horizon = "select messaging.inbox_horizon() < now() - interval '9 days'";
    let reaches_back: bool = sqlx::query_scalar(horizon).fetch_one(&admin).await.unwrap();
    assert!(reaches_back);
    maintain(&db).await;
    assert!(!exists(&admin, &old).await);
    let reaches_back: bool = sqlx::query_scalar(horizon).fetch_one(&admin).await.unwrap();
    assert!(!reaches_back);
}

#[tokio::test]
async fn partitions_of_the_publish_log_go_by_their_age_alone() {
    let db = database().await;
    let admin = db.admin_pool();
    let old = age(&db, "publish_log").await;
    for days_ago in [10, 2] {
        sqlx::query(
            "insert into messaging.publish_log (published_at, relay, type, lanes, first_id, last_id, first_event,
                                                last_event, event_ids, attempts, outcome)
             values (now() - make_interval(days => $1), 'one', 'x', '{0}', 1, 1, gen_random_uuid(), gen_random_uuid(),
                     '{}', 1, 'confirmed')",
        )
        .bind(days_ago)
        .execute(&admin)
        .await
        .unwrap();
    }
    let partitions = || {
        count(
            &admin,
            "pg_inherits where inhparent = 'messaging.publish_log'::regclass",
        )
    };
    let before = partitions().await;
    maintain(&db).await;
    assert!(!exists(&admin, &old).await);
    assert_eq!(partitions().await, before - 1, "none of the last days goes");
    assert_eq!(count(&admin, "messaging.publish_log").await, 1);
    maintain(&db).await;
    assert_eq!(partitions().await, before - 1);
}

#[tokio::test]
async fn a_drop_behind_a_long_reader_gives_up_and_is_done_later() {
    let db = database().await;
    let admin = db.admin_pool();
    let old = age(&db, "outbox").await;
    let mut reader = admin.begin().await.unwrap();
    sqlx::query("select count(*) from messaging.outbox")
        .execute(&mut *reader)
        .await
        .unwrap();
    maintain(&db).await;
    assert!(exists(&admin, &old).await, "the reader is in the way");
    old_event(&db).await;
    reader.rollback().await.unwrap();
    sqlx::query("update messaging.lane set settled_id = 1000")
        .execute(&admin)
        .await
        .unwrap();
    maintain(&db).await;
    assert!(!exists(&admin, &old).await);
}

#[tokio::test]
async fn old_idempotency_keys_are_forgotten_in_bounded_steps() {
    let db = database().await;
    let admin = db.admin_pool();
    sqlx::query(
        "insert into messaging.idempotency_key (user_id, key, request_digest, resource_id, created_at)
         select 1, i::text, '', gen_random_uuid(),
                now() - case when i <= 25 then interval '25 hours' else interval '23 hours' end
         from generate_series(1, 30) as i",
    )
    .execute(&admin)
    .await
    .unwrap();
    let relay = db.pool(Login::Relay);
    let mut connection = relay.acquire().await.unwrap();
    let mut forgotten = Vec::new();
    for _ in 0..4 {
        let step = messaging::outbox::forget_idempotency_keys(&mut connection, 10).await;
        forgotten.push(step.unwrap());
    }
    assert_eq!(forgotten, [10, 10, 5, 0]);
}

#[tokio::test]
async fn duplicates_are_forgotten_with_the_inbox_and_not_before() {
    let db = database().await;
    let admin = db.admin_pool();
    sqlx::query(
        "insert into messaging.duplicate (message_id, consumer, times)
         select messaging.uuid_at(messaging.inbox_horizon() + i * interval '1 second'), i::text, 1
         from generate_series(-25, 4) as i",
    )
    .execute(&admin)
    .await
    .unwrap();
    let relay = db.pool(Login::Relay);
    let mut connection = relay.acquire().await.unwrap();
    let mut forgotten = Vec::new();
    for _ in 0..4 {
        let step = messaging::outbox::forget_duplicates(&mut connection, 10).await;
        forgotten.push(step.unwrap());
    }
    assert_eq!(forgotten, [10, 10, 5, 0]);
    assert_eq!(count(&admin, "messaging.duplicate").await, 5);
}

#[tokio::test]
async fn how_a_redrive_ended_is_told_for_good_and_of_each_letter_for_a_month() {
    let db = database().await;
    let admin = db.admin_pool();
    sqlx::query(
        "with asked as (
            insert into messaging.operation (who, action, parameters, affected, request_id)
            values ('olga', 'dead_letters.redrive', '{}', 30, gen_random_uuid())
            returning request_id
        )
        insert into messaging.redrive_end (request_id, letter_id, outcome, at)
        select request_id, i, case when i % 3 = 0 then 'died_again' else 'settled' end,
               now() - case when i <= 25 then interval '31 days' else interval '29 days' end
        from asked, generate_series(1, 30) as i",
    )
    .execute(&admin)
    .await
    .unwrap();
    let told = async || {
        let mut writer = db.pool(Login::Writer).acquire().await.unwrap();
        let log = messaging::operation::list(&mut writer, &Sought::default(), 2).await;
        log.unwrap()[0].progress.unwrap()
    };
    let before = told().await;
    assert_eq!((before.settled, before.died_again), (20, 10));
    let relay = db.pool(Login::Relay);
    let mut connection = relay.acquire().await.unwrap();
    let mut forgotten = Vec::new();
    for _ in 0..4 {
        let step = messaging::outbox::forget_redrive_ends(&mut connection, 10).await;
        forgotten.push(step.unwrap());
        assert_eq!(told().await, before, "the log tells the same");
    }
    assert_eq!(forgotten, [10, 10, 5, 0]);
    assert_eq!(count(&admin, "messaging.redrive_end").await, 5);
    assert_eq!(count(&admin, "messaging.redrive_ended").await, 2);
}

#[tokio::test]
async fn of_two_relays_that_forget_the_ends_of_a_redrive_at_once_one_has_nothing_to_do() {
    let db = database().await;
    sqlx::query(
        "insert into messaging.redrive_end (request_id, letter_id, outcome, at)
        select id, i, 'settled', now() - interval '31 days'
        from gen_random_uuid() as id, generate_series(1, 2) as i",
    )
    .execute(&db.admin_pool())
    .await
    .unwrap();
    let relay = db.pool(Login::Relay);
    let forget = messaging::outbox::forget_redrive_ends;
    let mut first = relay.begin().await.unwrap();
    let mut second = relay.acquire().await.unwrap();
    assert_eq!(forget(&mut first, 1).await.unwrap(), 1);
    assert_eq!(forget(&mut second, 1).await.unwrap(), 0);
    first.commit().await.unwrap();
    assert_eq!(forget(&mut second, 1).await.unwrap(), 1);
}

#[tokio::test]
async fn nobody_but_the_relay_may_drop_or_forget() {
    let db = database().await;
    for login in [Login::Api, Login::Writer, Login::Audit] {
        for statement in [
            "select messaging.maintain_partitions()",
            "select messaging.forget_idempotency_keys(1)",
            "select messaging.forget_duplicates(1)",
            "select messaging.forget_redrive_ends(1)",
            "select messaging.adopt_restored(0, 1)",
            "select messaging.drop_partition('outbox', '20000101')",
        ] {
            let refused = sqlx::query(statement).execute(&db.pool(login)).await;
            assert!(refused.is_err(), "{login:?}: {statement}");
        }
    }
    let relay = db.pool(Login::Relay);
    let refused = sqlx::query("select messaging.drop_partition('outbox', '20000101')")
        .execute(&relay)
        .await;
    assert!(
        refused.is_err(),
        "the relay drops what is old and published alone"
    );
}
