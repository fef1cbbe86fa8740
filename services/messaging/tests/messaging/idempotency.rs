//! Idempotency keys: the same request once, another one refused, and nothing kept of what was rolled back.

use std::time::Duration;

use contracts::UserId;
use messaging::idempotency::{Claim, IdempotencyKey, claim, digest};
use tests::Login;
use uuid::Uuid;

use crate::support::database;

fn user(id: i64) -> UserId {
    UserId::try_from(id).unwrap()
}

#[tokio::test]
async fn a_key_is_claimed_once_replayed_after_and_scoped_by_user() {
    let db = database().await;
    let pool = db.pool(Login::Writer);
    let key: IdempotencyKey = "key".parse().unwrap();
    let (first, other) = (Uuid::now_v7(), Uuid::now_v7());
    let mut tx = pool.begin().await.unwrap();
    assert_eq!(
        claim(&mut tx, user(1), &key, &digest("order", &1), first)
            .await
            .unwrap(),
        Claim::Fresh
    );
    tx.commit().await.unwrap();
    for (who, body, expected) in [
        (1, 1, Claim::Replay { resource_id: first }),
        (1, 2, Claim::Reused),
        (2, 2, Claim::Fresh),
    ] {
        let mut tx = pool.begin().await.unwrap();
        assert_eq!(
            claim(&mut tx, user(who), &key, &digest("order", &body), other)
                .await
                .unwrap(),
            expected
        );
    }
}

#[tokio::test]
async fn a_twin_waits_for_the_first_and_takes_over_if_that_rolls_back() {
    let db = database().await;
    let pool = db.pool(Login::Writer);
    for commits in [true, false] {
        let key: IdempotencyKey = format!("key-{commits}").parse().unwrap();
        let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
        let mut tx = pool.begin().await.unwrap();
        claim(&mut tx, user(1), &key, &digest("order", &1), first)
            .await
            .unwrap();
        let mut twin_tx = pool.begin().await.unwrap();
        let twin_digest = digest("order", &1);
        let twin = claim(&mut twin_tx, user(1), &key, &twin_digest, second);
        tokio::pin!(twin);
        assert!(
            tokio::time::timeout(Duration::from_millis(100), &mut twin)
                .await
                .is_err(),
            "the twin waits"
        );
        if commits {
            tx.commit().await.unwrap();
            assert_eq!(twin.await.unwrap(), Claim::Replay { resource_id: first });
        } else {
            tx.rollback().await.unwrap();
            assert_eq!(twin.await.unwrap(), Claim::Fresh);
        }
    }
}

#[tokio::test]
async fn after_24_hours_a_key_is_new_again() {
    let db = database().await;
    let pool = db.pool(Login::Writer);
    let key: IdempotencyKey = "key".parse().unwrap();
    let mut tx = pool.begin().await.unwrap();
    claim(&mut tx, user(1), &key, &digest("order", &1), Uuid::now_v7())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    for (age, expected_fresh) in [("23 hours 59 minutes", false), ("24 hours 1 minute", true)] {
        sqlx::query("update messaging.idempotency_key set created_at = now() - $1::text::interval")
            .bind(age)
            .execute(&db.admin_pool())
            .await
            .unwrap();
        let mut tx = pool.begin().await.unwrap();
        let claimed = claim(&mut tx, user(1), &key, &digest("order", &2), Uuid::now_v7())
            .await
            .unwrap();
        assert_eq!(claimed == Claim::Fresh, expected_fresh, "{age}");
    }
}
