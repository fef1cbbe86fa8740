//! What a socket is told first: what changed since its cursor, or the newest orders.

use contracts::UserId;
use messaging::pool::Pool;

use crate::{
    limits::{RESUME_ORDERS_MAX, SNAPSHOT_ORDERS},
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
///
/// What changed since a cursor is found by looking through the user's orders, and only if these are all of them is it
/// known that nothing is missing: no index on changes would be worth what it costs every order.
pub(crate) async fn read(
    pool: &Pool,
    user_id: UserId,
    cursor: Option<&Position>,
) -> Result<Opening, sqlx::Error> {
    let (mut tx, present) = storage::session::begin_snapshot_as(pool, user_id).await?;
    let since = cursor.filter(|cursor| cursor.is_at_or_before(&present));
    let limit = since.map_or(SNAPSHOT_ORDERS, |_| RESUME_ORDERS_MAX + 1);
    let mut newest = storage::orders::newest(&mut tx, user_id, limit).await?;
    tx.commit().await?;
    let last_xid = newest.iter().map(|(xid, _)| *xid).max();
    let since = since.filter(|_| i64::try_from(newest.len()).is_ok_and(|rows| rows < limit));
    match since {
        Some(since) => newest.retain(|(xid, _)| !since.snapshot.sees(*xid)),
        None => newest.truncate(usize::try_from(SNAPSHOT_ORDERS).unwrap_or(usize::MAX)),
    }
    Ok(Opening {
        position: present.up_to(last_xid.unwrap_or_default()),
        resumed: since.is_some(),
        orders: newest.into_iter().map(|(_, order)| order).collect(),
    })
}
