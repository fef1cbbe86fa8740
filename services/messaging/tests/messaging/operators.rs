//! What operators do with dead letters: look, plan, mark, and leave a record of it.

use std::num::NonZeroU32;

use messaging::{
    dead_letter::{self, CancelRequest, Filter, RedriveError, RedriveRequest},
    failure::ReasonClass,
    operation::{self, Sought},
    topology::PAYMENT_ORDERS,
};
use sqlx::PgPool;
use tests::{Login, TestDatabase};
use uuid::Uuid;

use crate::support::database;

const OPERATOR: &str = "olga";

fn per_second(rate: u32) -> NonZeroU32 {
    NonZeroU32::new(rate).unwrap()
}

fn request(filter: &Filter, rate: u32) -> RedriveRequest<'_> {
    RedriveRequest {
        id: Uuid::now_v7(),
        filter,
        rate_per_second: per_second(rate),
        by: OPERATOR,
        reason: None,
    }
}

fn cancel(filter: &Filter, request_id: Option<Uuid>) -> CancelRequest<'_> {
    CancelRequest {
        filter,
        request_id,
        by: OPERATOR,
        reason: request_id.map(|_| "it dies again"),
    }
}

/// Letters of these classes, oldest first, each a second younger than the one before; their ids.
async fn plant(db: &TestDatabase, classes: &[&str]) -> Vec<i64> {
    let mut ids = Vec::new();
    for (place, class) in classes.iter().enumerate() {
        let id = sqlx::query_scalar(
            "insert into messaging.dead_letter
                 (consumer, message_id, body_digest, type, routing_key, headers, body, reason_class, reason, trace_id,
                  first_seen_at)
             values ($1, gen_random_uuid(), '', 'order.placed.v1', 'order.placed.v1', '{\"a\": 1}', '{}', $2, 'because',
                     'abc', now() - make_interval(secs => 3600 - $3))
             returning id",
        )
        .bind(PAYMENT_ORDERS.name)
        .bind(class)
        .bind(f64::from(u32::try_from(place).unwrap()))
        .fetch_one(&db.admin_pool())
        .await
        .unwrap();
        ids.push(id);
    }
    ids
}

async fn listed(pool: &PgPool, filter: &Filter, before: Option<i64>) -> Vec<i64> {
    let mut connection = pool.acquire().await.unwrap();
    let letters = dead_letter::list(&mut connection, filter, before)
        .await
        .unwrap();
    letters.iter().map(|letter| letter.id).collect()
}

#[tokio::test]
async fn letters_are_listed_newest_first_and_page_by_page() {
    let db = database().await;
    let ids = plant(&db, &["invalid"; 5]).await;
    let writer = db.pool(Login::Writer);
    let filter = Filter {
        limit: 2,
        ..Filter::default()
    };
    let first = listed(&writer, &filter, None).await;
    assert_eq!(first, [ids[4], ids[3]]);
    let second = listed(&writer, &filter, first.last().copied()).await;
    assert_eq!(second, [ids[2], ids[1]]);
    let third = listed(&writer, &filter, second.last().copied()).await;
    assert_eq!(third, [ids[0]]);
}

#[tokio::test]
async fn each_condition_of_a_filter_holds_by_itself() {
    let db = database().await;
    let ids = plant(&db, &["invalid", "conflict", "invalid"]).await;
    let writer = db.pool(Login::Writer);
    let minutes = |minutes| Some(std::time::Duration::from_mins(minutes));
    let any = Filter::default;
    for (filter, expected) in [
        (any(), vec![ids[2], ids[1], ids[0]]),
        (
            Filter {
                reason: Some(ReasonClass::Conflict),
                ..any()
            },
            vec![ids[1]],
        ),
        (
            Filter {
                queue: Some("another".to_owned()),
                ..any()
            },
            vec![],
        ),
        (
            Filter {
                kind: Some("order.eaten.v1".to_owned()),
                ..any()
            },
            vec![],
        ),
        (
            Filter {
                min_age: minutes(30),
                ..any()
            },
            vec![ids[2], ids[1], ids[0]],
        ),
        (
            Filter {
                min_age: minutes(90),
                ..any()
            },
            vec![],
        ),
        (
            Filter {
                ids: vec![ids[0], ids[2]],
                ..any()
            },
            vec![ids[2], ids[0]],
        ),
        (
            Filter {
                after: Some(ids[0]),
                ..any()
            },
            vec![ids[2], ids[1]],
        ),
    ] {
        assert_eq!(listed(&writer, &filter, None).await, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn a_letter_is_shown_whole_and_counted_by_its_reason() {
    let db = database().await;
    let ids = plant(&db, &["invalid", "conflict", "invalid"]).await;
    let mut connection = db.pool(Login::Writer).acquire().await.unwrap();
    let shown = dead_letter::show(&mut connection, ids[0])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(shown.body, b"{}");
    assert_eq!(shown.headers["a"], 1);
    assert_eq!(shown.letter.trace_id.as_deref(), Some("abc"));
    assert!(
        dead_letter::show(&mut connection, i64::MAX)
            .await
            .unwrap()
            .is_none()
    );
    let counts = dead_letter::count_by_reason(&mut connection, &Filter::default())
        .await
        .unwrap();
    let counts: Vec<_> = counts
        .iter()
        .map(|count| (count.reason_class.as_str(), count.letters))
        .collect();
    assert_eq!(counts, [("conflict", 1), ("invalid", 2)]);
}

#[tokio::test]
async fn a_redrive_does_what_its_plan_said_at_the_given_rate_and_is_recorded() {
    let db = database().await;
    plant(&db, &["invalid", "conflict", "invalid", "invalid"]).await;
    let writer = db.pool(Login::Writer);
    let filter = Filter {
        reason: Some(ReasonClass::Invalid),
        ..Filter::default()
    };
    let mut tx = writer.begin().await.unwrap();
    let plan = dead_letter::plan_redrive(&mut tx, &filter).await.unwrap();
    assert_eq!((plan.letters, plan.samples.len()), (3, 3));
    let redriven = dead_letter::redrive(&mut tx, &request(&filter, 2))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(redriven.plan.letters, 3);
    let seconds: Vec<f64> = sqlx::query_scalar(
        "select extract(epoch from redrive_at - min(redrive_at) over ())::float8
         from messaging.dead_letter where redrive_at is not null order by id",
    )
    .fetch_all(&writer)
    .await
    .unwrap();
    assert_eq!(seconds, [0.0, 0.5, 1.0]);

    let mut tx = writer.begin().await.unwrap();
    let again = dead_letter::redrive(&mut tx, &request(&filter, 2))
        .await
        .unwrap();
    assert_eq!(again.plan.letters, 0, "what is marked keeps its mark");
    let cancelled = dead_letter::cancel_redrive(&mut tx, &cancel(&filter, None))
        .await
        .unwrap();
    assert_eq!(cancelled.letters, 3);
    tx.commit().await.unwrap();

    let mut connection = writer.acquire().await.unwrap();
    let log = operation::list(&mut connection, &Sought::default(), 10)
        .await
        .unwrap();
    let log: Vec<_> = log
        .iter()
        .map(|entry| (entry.action.as_str(), entry.affected))
        .collect();
    assert_eq!(
        log,
        [
            ("dead_letters.cancel_redrive", 3),
            ("dead_letters.redrive", 0),
            ("dead_letters.redrive", 3)
        ]
    );
}

#[tokio::test]
async fn a_change_that_is_rolled_back_leaves_no_record() {
    let db = database().await;
    plant(&db, &["invalid"]).await;
    let writer = db.pool(Login::Writer);
    let mut tx = writer.begin().await.unwrap();
    dead_letter::redrive(&mut tx, &request(&Filter::default(), 1))
        .await
        .unwrap();
    tx.rollback().await.unwrap();
    let mut connection = writer.acquire().await.unwrap();
    let log = operation::list(&mut connection, &Sought::default(), 10)
        .await
        .unwrap();
    assert_eq!(log, []);
}

#[tokio::test]
async fn the_same_request_again_marks_nothing_twice_and_is_answered_the_same() {
    let db = database().await;
    let ids = plant(&db, &["invalid"; 2]).await;
    let writer = db.pool(Login::Writer);
    let filter = Filter::default();
    let asked = RedriveRequest {
        reason: Some("the handler is mended"),
        ..request(&filter, 5)
    };
    let mut tx = writer.begin().await.unwrap();
    let first = dead_letter::redrive(&mut tx, &asked).await.unwrap();
    tx.commit().await.unwrap();
    // Meanwhile one has died again, and would be marked by another request.
    sqlx::query(
        "update messaging.dead_letter set redrive_at = null, redrive_by = null where id = $1",
    )
    .bind(ids[0])
    .execute(&db.admin_pool())
    .await
    .unwrap();
    let mut tx = writer.begin().await.unwrap();
    let again = dead_letter::redrive(&mut tx, &asked).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(again, first);
    assert_eq!(first.plan.letters, 2);
    let marked: i64 = sqlx::query_scalar("select count(redrive_at) from messaging.dead_letter")
        .fetch_one(&db.admin_pool())
        .await
        .unwrap();
    assert_eq!(marked, 1);
    let mut connection = writer.acquire().await.unwrap();
    let sought = Sought {
        request_id: Some(asked.id),
        ..Sought::default()
    };
    let log = operation::list(&mut connection, &sought, 10).await.unwrap();
    assert_eq!(log.len(), 1, "{log:?}");
    assert_eq!(log[0].reason.as_deref(), asked.reason);
}

#[tokio::test]
async fn twins_of_a_request_mark_once_and_are_answered_the_same() {
    let db = database().await;
    plant(&db, &["invalid"; 3]).await;
    let writer = db.pool(Login::Writer);
    let filter = Filter::default();
    let asked = request(&filter, 5);
    let ask = async || {
        let mut tx = writer.begin().await.unwrap();
        let redriven = dead_letter::redrive(&mut tx, &asked).await.unwrap();
        tx.commit().await.unwrap();
        redriven
    };
    let (one, two) = tokio::join!(ask(), ask());
    assert_eq!(one, two);
    assert_eq!(one.plan.letters, 3);
}

#[tokio::test]
async fn another_request_under_a_known_id_is_refused() {
    let db = database().await;
    plant(&db, &["invalid"]).await;
    let filter = Filter::default();
    let asked = request(&filter, 5);
    let mut tx = db.pool(Login::Writer).begin().await.unwrap();
    dead_letter::redrive(&mut tx, &asked).await.unwrap();
    let narrower = Filter {
        ids: vec![1],
        ..Filter::default()
    };
    for other in [
        RedriveRequest {
            filter: &narrower,
            ..asked
        },
        RedriveRequest {
            rate_per_second: per_second(6),
            ..asked
        },
        RedriveRequest {
            reason: Some("another"),
            ..asked
        },
    ] {
        let refused = dead_letter::redrive(&mut tx, &other).await;
        assert!(matches!(refused, Err(RedriveError::IdTaken)), "{refused:?}");
    }
    let empty = RedriveRequest {
        reason: Some(" "),
        ..request(&filter, 5)
    };
    let refused = dead_letter::redrive(&mut tx, &empty).await;
    assert!(matches!(refused, Err(RedriveError::Reason)), "{refused:?}");
}

#[tokio::test]
async fn what_one_request_marked_is_taken_back_and_what_others_marked_stays_theirs() {
    let db = database().await;
    let ids = plant(&db, &["invalid", "conflict"]).await;
    let of = |class| Filter {
        reason: Some(class),
        ..Filter::default()
    };
    let (invalid, conflict) = (of(ReasonClass::Invalid), of(ReasonClass::Conflict));
    let (mine, theirs) = (request(&invalid, 5), request(&conflict, 5));
    let mut tx = db.pool(Login::Writer).begin().await.unwrap();
    for asked in [&mine, &theirs] {
        dead_letter::redrive(&mut tx, asked).await.unwrap();
    }
    let all = Filter::default();
    let cancelled = dead_letter::cancel_redrive(&mut tx, &cancel(&all, Some(mine.id))).await;
    assert_eq!(cancelled.unwrap().letters, 1);
    let marked: Vec<i64> =
        sqlx::query_scalar("select id from messaging.dead_letter where redrive_at is not null")
            .fetch_all(&mut *tx)
            .await
            .unwrap();
    assert_eq!(marked, [ids[1]]);
    let log = operation::list(&mut tx, &Sought::default(), 1)
        .await
        .unwrap();
    assert_eq!(log[0].reason.as_deref(), Some("it dies again"));
    let empty = CancelRequest {
        reason: Some(" "),
        ..cancel(&all, None)
    };
    let refused = dead_letter::cancel_redrive(&mut tx, &empty).await;
    assert!(matches!(refused, Err(RedriveError::Reason)), "{refused:?}");
}

#[tokio::test]
async fn operations_are_found_by_what_was_done() {
    let db = database().await;
    plant(&db, &["invalid"]).await;
    let filter = Filter::default();
    let mut tx = db.pool(Login::Writer).begin().await.unwrap();
    dead_letter::redrive(&mut tx, &request(&filter, 5))
        .await
        .unwrap();
    dead_letter::cancel_redrive(&mut tx, &cancel(&filter, None))
        .await
        .unwrap();
    let sought = Sought {
        action: Some("dead_letters.cancel_redrive".to_owned()),
        ..Sought::default()
    };
    let log = operation::list(&mut tx, &sought, 10).await.unwrap();
    let actions: Vec<_> = log.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["dead_letters.cancel_redrive"]);
    assert_eq!(log[0].progress, None);
}
