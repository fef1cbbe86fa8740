//! Redrive: marked letters go through the handler of the service that gave up on them, and nothing is published.

use std::num::NonZeroU32;

use contracts::cloud_event::BATCH_CONTENT_TYPE;
use messaging::{
    consumer::Session,
    dead_letter::{self, CancelRequest, Filter, RedriveRequest, Redriven},
    operation::{self, Progress, Sought},
    topology::PAYMENT_ORDERS,
};
use serde_json::{Value, json};
use sqlx::PgPool;
use tests::{Login, RawBroker, TestDatabase, TestVhost, lapin::BasicProperties, poll_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::{
    Answer, DEADLINE, Effects, answer, broker, consumer, count, database, due_consumer, effects,
    event, letters, placed, publish, settle_next,
};

/// An amount that the handler is told something about.
const TOLD: i64 = 23;

/// Marks every letter, due at once; says under which request.
async fn redrive_all(db: &TestDatabase) -> Uuid {
    let id = Uuid::now_v7();
    redrive(db, id, &Filter::default()).await;
    id
}

/// Marks the letters that are meant, due at once.
async fn redrive(db: &TestDatabase, id: Uuid, filter: &Filter) -> Redriven {
    let request = RedriveRequest {
        id,
        filter,
        rate_per_second: NonZeroU32::new(1_000_000).unwrap(),
        by: "olga",
        reason: None,
    };
    let mut tx = db.pool(Login::Writer).begin().await.unwrap();
    let redriven = dead_letter::redrive(&mut tx, &request).await.unwrap();
    tx.commit().await.unwrap();
    redriven
}

/// How a redrive goes on, as the operators' log tells.
async fn progress(db: &TestDatabase, request: Uuid) -> Progress {
    let mut connection = db.pool(Login::Writer).acquire().await.unwrap();
    let sought = Sought {
        request_id: Some(request),
        ..Sought::default()
    };
    let log = operation::list(&mut connection, &sought, 2).await.unwrap();
    assert_eq!(log.len(), 1, "{log:?}");
    log[0].progress.unwrap()
}

/// Settles until nothing is due any more.
async fn settle_all(db: &TestDatabase) {
    let consumer = due_consumer(db);
    poll_until("nothing is due", DEADLINE, async || {
        (consumer.settle_due().await.unwrap() == 0).then_some(())
    })
    .await;
}

struct Site {
    db: TestDatabase,
    vhost: TestVhost,
    raw: RawBroker,
    session: Option<Session>,
    pool: PgPool,
}

impl Site {
    async fn open() -> Self {
        let (db, (vhost, raw)) = tokio::join!(database(), broker());
        let pool = db.admin_pool();
        Self {
            db,
            vhost,
            raw,
            session: None,
            pool,
        }
    }

    /// Publishes a message of these events and settles it.
    async fn deliver(&mut self, events: &[Value]) {
        publish(&self.raw, events).await;
        let consumer = consumer(&self.db, &self.vhost);
        if self.session.is_none() {
            self.session = Some(consumer.connect().await.unwrap());
        }
        settle_next(&consumer, self.session.as_mut().unwrap()).await;
    }

    /// One event that the handler rejected.
    async fn rejected(&mut self) -> Value {
        answer(&self.db, TOLD, Some(Answer::Reject)).await;
        let event = event(&placed(TOLD));
        self.deliver(std::slice::from_ref(&event)).await;
        assert_eq!(letters(&self.pool).await, ["conflict"]);
        event
    }

    /// A message that the broker gave up delivering.
    async fn given_up(&mut self, body: &[u8]) {
        // It would be delivered to the session, which takes no notice of it.
        self.session = None;
        let properties = BasicProperties::default().with_content_type(BATCH_CONTENT_TYPE.into());
        self.raw
            .publish("", PAYMENT_ORDERS.dead, properties, body)
            .await;
        let stop = CancellationToken::new();
        let running = tokio::spawn(consumer(&self.db, &self.vhost).run(stop.clone()));
        poll_until("it is a dead letter", DEADLINE, async || {
            letters(&self.pool)
                .await
                .contains(&"broker".to_owned())
                .then_some(())
        })
        .await;
        stop.cancel();
        running.await.unwrap();
    }
}

#[tokio::test]
async fn a_redriven_letter_is_settled_by_its_handler_and_its_row_is_gone() {
    let mut site = Site::open().await;
    site.rejected().await;
    answer(&site.db, TOLD, None).await;
    settle_all(&site.db).await;
    assert_eq!(effects(&site.pool).await, 0, "nobody has asked for it");
    redrive_all(&site.db).await;
    settle_all(&site.db).await;
    assert_eq!(effects(&site.pool).await, 1);
    assert_eq!(letters(&site.pool).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_running_consumer_settles_what_is_marked() {
    let mut site = Site::open().await;
    site.rejected().await;
    answer(&site.db, TOLD, None).await;
    redrive_all(&site.db).await;
    let stop = CancellationToken::new();
    let running = tokio::spawn(due_consumer(&site.db).run(stop.clone()));
    poll_until("the effect, without a broker", DEADLINE, async || {
        (effects(&site.pool).await == 1).then_some(())
    })
    .await;
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_letter_that_dies_again_is_updated_and_not_doubled() {
    let mut site = Site::open().await;
    site.rejected().await;
    for told in [Answer::Reject, Answer::NotYet, Answer::Fail] {
        answer(&site.db, TOLD, Some(told)).await;
        redrive_all(&site.db).await;
        settle_all(&site.db).await;
    }
    let rows: Vec<(i32, i32, String, Option<String>)> = sqlx::query_as(
        "select occurrences, attempts, reason_class, redrive_by from messaging.dead_letter",
    )
    .fetch_all(&site.pool)
    .await
    .unwrap();
    assert_eq!(rows, [(4, 4, "exhausted".to_owned(), None)]);
    assert_eq!(count(&site.pool, "messaging.deferred").await, 0);
}

#[tokio::test]
async fn a_letter_delivered_again_meanwhile_is_a_duplicate_and_settled_once() {
    let mut site = Site::open().await;
    let event = site.rejected().await;
    answer(&site.db, TOLD, None).await;
    site.deliver(std::slice::from_ref(&event)).await;
    assert_eq!(effects(&site.pool).await, 0, "it is a dead letter");
    redrive_all(&site.db).await;
    settle_all(&site.db).await;
    site.deliver(&[event]).await;
    assert_eq!(effects(&site.pool).await, 1);
    assert_eq!(letters(&site.pool).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_letter_too_old_for_the_inbox_is_settled_when_an_operator_wants_it() {
    let mut site = Site::open().await;
    let mut old = event(&placed(100));
    let month_ago =
        u64::try_from(time::OffsetDateTime::now_utc().unix_timestamp()).unwrap() - 30 * 86_400;
    let timestamp = uuid::Timestamp::from_unix(uuid::NoContext, month_ago, 0);
    old["id"] = json!(Uuid::new_v7(timestamp));
    site.deliver(&[old]).await;
    assert_eq!(letters(&site.pool).await, ["event_id"]);
    redrive_all(&site.db).await;
    settle_all(&site.db).await;
    assert_eq!(effects(&site.pool).await, 1);
    assert_eq!(letters(&site.pool).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_letter_whose_id_could_not_be_taken_at_first_is_not_taken_for_a_duplicate_of_itself() {
    let site = Site::open().await;
    answer(&site.db, TOLD, Some(Answer::Reject)).await;
    sqlx::query(
        "insert into messaging.dead_letter (consumer, body_digest, routing_key, headers, body, reason_class, reason)
         values ($1, '', '', '{}', $2, 'event_id', 'it came from the future')",
    )
    .bind(PAYMENT_ORDERS.name)
    .bind(event(&placed(TOLD)).to_string().into_bytes())
    .execute(&site.pool)
    .await
    .unwrap();
    for _ in 0..2 {
        redrive_all(&site.db).await;
        settle_all(&site.db).await;
        assert_eq!(letters(&site.pool).await, ["conflict"]);
    }
    answer(&site.db, TOLD, None).await;
    redrive_all(&site.db).await;
    settle_all(&site.db).await;
    assert_eq!(effects(&site.pool).await, 1);
    assert_eq!(letters(&site.pool).await.len(), 0);
}

#[tokio::test]
async fn a_conflict_stays_one_however_often_it_is_redriven() {
    let mut site = Site::open().await;
    let first = event(&placed(100));
    let mut other = event(&placed(200));
    other["id"] = first["id"].clone();
    site.deliver(&[first]).await;
    site.deliver(&[other]).await;
    for _ in 0..2 {
        redrive_all(&site.db).await;
        settle_all(&site.db).await;
    }
    assert_eq!(letters(&site.pool).await, ["conflict"]);
    assert_eq!(effects(&site.pool).await, 1);
}

#[tokio::test]
async fn a_message_the_broker_gave_up_is_opened_and_only_what_is_new_has_its_effect() {
    let mut site = Site::open().await;
    let known = event(&placed(100));
    site.deliver(std::slice::from_ref(&known)).await;
    let mut conflicting = event(&placed(300));
    conflicting["id"] = known["id"].clone();
    let fresh = event(&placed(200));
    let body = json!([known, fresh, conflicting, {"no": "event"}]).to_string();
    site.given_up(body.as_bytes()).await;
    assert_eq!(effects(&site.pool).await, 1);
    redrive_all(&site.db).await;
    settle_all(&site.db).await;
    assert_eq!(effects(&site.pool).await, 2);
    assert_eq!(letters(&site.pool).await, ["conflict", "event_id"]);
    site.deliver(&[fresh]).await;
    assert_eq!(effects(&site.pool).await, 2);
}

#[tokio::test]
async fn a_message_that_cannot_be_opened_stays_whole() {
    let mut site = Site::open().await;
    site.given_up(b"no batch at all").await;
    redrive_all(&site.db).await;
    settle_all(&site.db).await;
    assert_eq!(letters(&site.pool).await, ["malformed"]);
    let body: Vec<u8> = sqlx::query_scalar("select body from messaging.dead_letter")
        .fetch_one(&site.pool)
        .await
        .unwrap();
    assert_eq!(body, b"no batch at all");
}

#[tokio::test]
async fn replicas_that_find_the_same_letters_due_settle_each_once() {
    let mut site = Site::open().await;
    answer(&site.db, TOLD, Some(Answer::Reject)).await;
    let events: Vec<_> = (0..60).map(|_| event(&placed(TOLD))).collect();
    site.deliver(&events).await;
    answer(&site.db, TOLD, None).await;
    redrive_all(&site.db).await;
    let one = due_consumer(&site.db);
    let two = due_consumer(&site.db);
    let (one, two) = tokio::join!(one.settle_due(), two.settle_due());
    one.unwrap();
    two.unwrap();
    settle_all(&site.db).await;
    assert_eq!(effects(&site.pool).await, 60);
    assert_eq!(letters(&site.pool).await.len(), 0);
}

/// A redrive is over when nothing is left of it, and what has come of it is told to the letter, whoever asks and when.
#[tokio::test]
async fn a_redrive_is_followed_to_the_end_of_each_of_its_letters() {
    let mut site = Site::open().await;
    answer(&site.db, TOLD, Some(Answer::Reject)).await;
    answer(&site.db, 200, Some(Answer::Reject)).await;
    let events = [TOLD, TOLD, 200, 200, 200].map(|amount| event(&placed(amount)));
    site.deliver(&events).await;
    answer(&site.db, TOLD, None).await;
    let ids: Vec<i64> = sqlx::query_scalar("select id from messaging.dead_letter order by id")
        .fetch_all(&site.pool)
        .await
        .unwrap();
    let only = |id| Filter {
        ids: vec![id],
        ..Filter::default()
    };
    let request = redrive_all(&site.db).await;
    let none = Progress {
        settled: 0,
        died_again: 0,
        cancelled: 0,
        discarded: 0,
        left: 5,
    };
    assert_eq!(progress(&site.db, request).await, none);
    let mut tx = site.db.pool(Login::Writer).begin().await.unwrap();
    dead_letter::cancel_redrive(
        &mut tx,
        &CancelRequest {
            filter: &only(ids[2]),
            request_id: None,
            by: "olga",
            reason: None,
        },
    )
    .await
    .unwrap();
    dead_letter::discard(&mut tx, &Effects, &only(ids[3]), "olga", "it is not wanted")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    settle_all(&site.db).await;
    let all = Progress {
        settled: 2,
        died_again: 1,
        cancelled: 1,
        discarded: 1,
        left: 0,
    };
    assert_eq!(progress(&site.db, request).await, all);
    // Another redrive is another story.
    let second = redrive_all(&site.db).await;
    settle_all(&site.db).await;
    assert_eq!(progress(&site.db, request).await, all);
    let again = Progress {
        died_again: 2,
        left: 0,
        ..none
    };
    assert_eq!(progress(&site.db, second).await, again);
}

/// A letter that dies again keeps its id, and so its place: else the second part would be the first one again.
#[tokio::test]
async fn the_next_part_of_a_redrive_begins_behind_what_the_part_before_it_has_marked() {
    let mut site = Site::open().await;
    answer(&site.db, TOLD, Some(Answer::Reject)).await;
    let events = [TOLD; 5].map(|amount| event(&placed(amount)));
    site.deliver(&events).await;
    let ids: Vec<i64> = sqlx::query_scalar("select id from messaging.dead_letter order by id")
        .fetch_all(&site.pool)
        .await
        .unwrap();
    let mut after = None;
    let mut ends = Vec::new();
    for _ in 0..4 {
        let filter = Filter {
            limit: 2,
            after,
            ..Filter::default()
        };
        let redriven = redrive(&site.db, Uuid::now_v7(), &filter).await;
        ends.push((redriven.plan.letters, redriven.last_id));
        after = redriven.last_id.or(after);
        settle_all(&site.db).await;
    }
    let expected = [
        (2, Some(ids[1])),
        (2, Some(ids[3])),
        (1, Some(ids[4])),
        (0, None),
    ];
    assert_eq!(ends, expected);
    let attempts: Vec<i32> =
        sqlx::query_scalar("select attempts from messaging.dead_letter order by id")
            .fetch_all(&site.pool)
            .await
            .unwrap();
    assert_eq!(attempts, [attempts[0]; 5], "each was tried as often");
}

#[tokio::test]
async fn a_message_that_is_opened_and_a_letter_that_gets_its_id_end_their_marks() {
    let site = Site::open().await;
    answer(&site.db, TOLD, Some(Answer::Reject)).await;
    let body = json!([event(&placed(100))]).to_string();
    for (whole, body) in [(true, body), (false, event(&placed(TOLD)).to_string())] {
        sqlx::query(
            "insert into messaging.dead_letter
                 (consumer, body_digest, routing_key, headers, body, reason_class, reason, whole_message)
             values ($1, sha256($2), '', $3, $2, 'broker', 'because', $4)",
        )
        .bind(PAYMENT_ORDERS.name)
        .bind(body.into_bytes())
        .bind(json!({"content_type": BATCH_CONTENT_TYPE}))
        .bind(whole)
        .execute(&site.pool)
        .await
        .unwrap();
    }
    let request = redrive_all(&site.db).await;
    settle_all(&site.db).await;
    let ended = progress(&site.db, request).await;
    assert_eq!((ended.settled, ended.died_again, ended.left), (1, 1, 0));
}
