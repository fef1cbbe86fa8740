//! Differences and their pages, while others commit.

use ::tests::Login;
use sqlx::PgTransaction;

use super::*;
use crate::{storage::position, testing};

async fn write(tx: &mut PgTransaction<'_>, rows: i32) {
    sqlx::query(
        "insert into orders.status_history (order_id, user_id, version, status, at)
        select gen_random_uuid(), 7, 1, 'NEW', now() from generate_series(1, $1)",
    )
    .bind(rows)
    .execute(&mut **tx)
    .await
    .unwrap();
}

fn ids(changes: &[Change]) -> Vec<i64> {
    changes.iter().map(|change| change.id).collect()
}

#[tokio::test]
async fn a_large_difference_comes_in_pages_of_whole_transactions_between_its_two_snapshots() {
    let database = testing::database().await;
    let writer = database.pool(Login::Writer);
    let mut reader = writer.acquire().await.unwrap();
    let mut late = writer.begin().await.unwrap();
    write(&mut late, 3).await;
    let mut seen = writer.begin().await.unwrap();
    write(&mut seen, 2).await;
    seen.commit().await.unwrap();

    let since = position::present(&mut reader).await.unwrap().snapshot;
    late.commit().await.unwrap();
    for rows in [1, 2] {
        let mut later = writer.begin().await.unwrap();
        write(&mut later, rows).await;
        later.commit().await.unwrap();
    }
    let first = read_since(&mut reader, &since, 2).await.unwrap();
    assert!(first.is_large && first.changes.is_empty());
    let mut meanwhile = writer.begin().await.unwrap();
    write(&mut meanwhile, 1).await;
    meanwhile.commit().await.unwrap();
    let mut pages = Vec::new();
    let mut after = None;
    loop {
        let page = read_page(&mut reader, &since, &first.snapshot, after, 1)
            .await
            .unwrap();
        let Some(last) = page.iter().map(|change| change.xid).max() else {
            break;
        };
        pages.push(ids(&page));
        after = Some(last);
    }
    assert_eq!(
        pages,
        [vec![1, 2, 3, 6], vec![7, 8]],
        "not 4 and 5, seen before; not 9, committed meanwhile"
    );

    let next = read_since(&mut reader, &first.snapshot, 2).await.unwrap();
    assert_eq!(ids(&next.changes), [9]);
    let none = read_since(&mut reader, &next.snapshot, 2).await.unwrap();
    assert!(none.changes.is_empty() && !none.is_large);
}
