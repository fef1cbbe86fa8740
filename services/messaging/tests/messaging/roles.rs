//! Least privilege: each login role is tried on what it must not do in the schema `messaging`.

use tests::Login;

use crate::support::database;

#[tokio::test]
async fn no_role_may_do_more_than_its_part() {
    let db = database().await;
    let everywhere: [&'static str; 16] = [
        "create table messaging.mine (id int)",
        "create schema mine",
        "drop table messaging.relay",
        "alter table messaging.lane add column mine int",
        "truncate messaging.dead_letter",
        "update messaging.outbox set body = ''",
        "delete from messaging.outbox",
        "delete from messaging.inbox",
        "delete from messaging.lane",
        "update messaging.operation set who = 'nobody'",
        "delete from messaging.operation",
        "update messaging.redrive_end set outcome = 'settled'",
        "delete from messaging.redrive_end",
        "update messaging.redrive_ended set letters = 1",
        "delete from messaging.redrive_ended",
        "update messaging._migrations set success = false",
    ];
    for login in [Login::Api, Login::Writer, Login::Relay, Login::Audit] {
        let own: &[&'static str] = match login {
            Login::Api => &[
                "select 1 from messaging.outbox",
                "select 1 from messaging.idempotency_key",
            ],
            Login::Writer => &[
                "select body from messaging.outbox",
                "select traceparent from messaging.outbox",
                "insert into messaging.relay values ('x')",
                "update messaging.relay set heartbeat = now()",
                "update messaging.lane set epoch = 0",
                "update messaging.dead_letter set body = ''",
                "update messaging.deferred set body = ''",
                "update messaging.inbox set digest = ''",
                "select messaging.maintain_partitions()",
            ],
            Login::Relay => &[
                "insert into messaging.outbox (lane, key, event_id, type, traceparent, body)
                 values (0, gen_random_uuid(), gen_random_uuid(), 'x', 'x', '')",
                "select 1 from messaging.inbox",
                "select 1 from messaging.dead_letter",
            ],
            _ => &[
                "update messaging.lane set epoch = 0",
                "insert into messaging.relay values ('x')",
                "select messaging.maintain_partitions()",
            ],
        };
        let pool = db.pool(login);
        for &statement in everywhere.iter().chain(own) {
            let error = sqlx::raw_sql(statement)
                .execute(&pool)
                .await
                .expect_err(statement);
            let code = error
                .as_database_error()
                .and_then(sqlx::error::DatabaseError::code)
                .unwrap_or_default();
            assert_eq!(code, "42501", "{login:?}: {statement}: {error}");
        }
    }
}
