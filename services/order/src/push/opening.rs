//! What a socket is told first: the changes since its cursor, or the newest orders.

use std::collections::BTreeSet;

use contracts::UserId;
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    limits,
    order::Order,
    storage::{self, position::Position},
};

/// The orders a socket begins with, and the place in the history they stand for.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) position: Position,
    pub(crate) resumed: bool,
    pub(crate) orders: Vec<Order>,
}

/// Reads the opening of a user's socket, all of it in one snapshot.
pub(crate) async fn read(
    pool: &PgPool,
    user_id: UserId,
    cursor: Option<&Position>,
) -> Result<Opening, sqlx::Error> {
    let (mut tx, position) = storage::session::begin_snapshot_as(pool, user_id).await?;
    let since = cursor.filter(|cursor| cursor.is_at_or_before(&position));
    if let Some(since) = since {
        let limit = limits::RESUME_CHANGES_MAX;
        let changed =
            storage::changes::changed_orders(&mut tx, user_id, &since.snapshot, limit + 1).await?;
        if changed.len() <= usize::try_from(limit).expect("the limit is small") {
            let ids: BTreeSet<Uuid> = changed.into_iter().collect();
            let ids: Vec<Uuid> = ids.into_iter().collect();
            let orders = storage::orders::among(&mut tx, user_id, &ids).await?;
            tx.commit().await?;
            return Ok(Opening {
                position,
                resumed: true,
                orders,
            });
        }
    }
    let orders = storage::orders::page(&mut tx, user_id, None, limits::SNAPSHOT_ORDERS).await?;
    tx.commit().await?;
    Ok(Opening {
        position,
        resumed: false,
        orders,
    })
}
