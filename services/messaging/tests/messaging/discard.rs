//! Discarding: only with a reason, never a valid event without its service, all or nothing, and on record.

use messaging::{
    dead_letter::{self, DiscardError, Discarded, Filter},
    operation::{self, Sought},
};
use sqlx::PgPool;
use tests::{Login, TestDatabase};

use crate::support::{
    Answer, Effects, answer, broker, consumer, count, database, effects, event, letters, placed,
    publish, settle_next,
};

async fn discard(db: &TestDatabase, reason: &str) -> Result<Discarded, DiscardError> {
    let mut tx = db.pool(Login::Writer).begin().await.unwrap();
    let discarded =
        dead_letter::discard(&mut tx, &Effects, &Filter::default(), "olga", reason).await?;
    tx.commit().await.unwrap();
    Ok(discarded)
}

/// A database with dead letters of these amounts, and with one that is junk.
async fn with_letters(amounts: &[i64]) -> (TestDatabase, PgPool) {
    let (db, (vhost, raw)) = tokio::join!(database(), broker());
    let mut events = vec![serde_json::json!("junk")];
    for &amount in amounts {
        answer(&db, amount, Some(Answer::Reject)).await;
        events.push(event(&placed(amount)));
    }
    let consumer = consumer(&db, &vhost);
    let mut session = consumer.connect().await.unwrap();
    publish(&raw, &events).await;
    settle_next(&consumer, &mut session).await;
    let pool = db.admin_pool();
    assert_eq!(letters(&pool).await.len(), events.len());
    (db, pool)
}

#[tokio::test]
async fn a_valid_event_is_ended_by_its_service_in_the_same_transaction_and_junk_just_goes() {
    let (db, pool) = with_letters(&[20, 40]).await;
    let discarded = discard(&db, " the supplier is gone ").await.unwrap();
    assert_eq!((discarded.letters, discarded.ended), (3, 2));
    assert_eq!(letters(&pool).await.len(), 0);
    let ends: Vec<i64> = sqlx::query_scalar("select amount from effects.effect order by 1")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(ends, [-40, -20]);
    let mut connection = db.pool(Login::Writer).acquire().await.unwrap();
    let log = operation::list(&mut connection, &Sought::default(), 10)
        .await
        .unwrap();
    assert_eq!(log.len(), 1);
    assert_eq!(log[0].id, discarded.operation_id);
    assert_eq!(log[0].action, "dead_letters.discard");
    assert_eq!(log[0].reason.as_deref(), Some("the supplier is gone"));
    assert_eq!((log[0].who.as_str(), log[0].affected), ("olga", 3));
}

#[tokio::test]
async fn a_valid_event_that_must_be_settled_is_not_discarded_nor_is_anything_with_it() {
    let (db, pool) = with_letters(&[20, 21]).await;
    match discard(&db, "tidy up").await.unwrap_err() {
        DiscardError::Refused(refused) => {
            assert_eq!(refused.len(), 1);
            assert_eq!(refused[0].why, "the amount is odd");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(letters(&pool).await.len(), 3);
    assert_eq!(effects(&pool).await, 0);
    assert_eq!(count(&pool, "messaging.operation").await, 0);
}

#[tokio::test]
async fn nothing_is_discarded_without_a_reason_in_words() {
    let (db, pool) = with_letters(&[]).await;
    for reason in ["", "  ", &"x".repeat(1_001)] {
        let refused = discard(&db, reason).await.unwrap_err();
        assert!(matches!(refused, DiscardError::Reason), "{refused:?}");
    }
    assert_eq!(letters(&pool).await.len(), 1);
}
