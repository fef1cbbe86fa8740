//! Cancellation: a paid order is given up by its owner, and its money is asked for, in one transaction.

use contracts::{EventId, OrderId, TraceContext, UserId};
use messaging::{
    idempotency::{Claim, IdempotencyKey, RequestDigest, claim},
    outbox,
    pool::Pool,
};
use time::OffsetDateTime;

use crate::{
    error::Error,
    order::{Order, to_stored_precision},
    status,
    storage::cancel as storage,
};

/// A request to give an order up.
#[derive(Debug)]
pub(crate) struct Cancellation<'r> {
    pub(crate) order_id: OrderId,
    /// Who asks.
    pub(crate) user_id: UserId,
    /// The key under which it is done once, and what the key stands for.
    pub(crate) key: (&'r IdempotencyKey, &'r RequestDigest),
    pub(crate) trace: TraceContext,
}

/// An order that was given up, as it stood then.
#[derive(Debug)]
pub(crate) enum GivenUp {
    /// By this request.
    Now(Order),
    /// By the same request before.
    Before(Order),
}

/// Gives the order up if it is the asker's, can be given up, and is at a version that the asker expects. Whatever is
/// refused changes nothing, and leaves the key free.
///
/// The key comes before everything else: whoever repeats a request gets its answer, although the order has moved on. The
/// order's state comes before its version, as HTTP has it (RFC 9110, section 13.2.1): who cannot cancel at all is not
/// told to try again with another version.
pub(crate) async fn cancel(
    pool: &Pool,
    request: Cancellation<'_>,
    expected: impl FnOnce(i32) -> bool,
) -> Result<GivenUp, Error> {
    let Cancellation {
        order_id,
        user_id,
        key: (key, digest),
        trace,
    } = request;
    let now = to_stored_precision(OffsetDateTime::now_utc());
    let mut tx = pool.begin().await?;
    let claim = claim(&mut tx, user_id, key, digest, order_id.as_uuid()).await?;
    // A repeated request locks it, too: the answer is read in two statements.
    let order = storage::lock(&mut tx, user_id, order_id)
        .await?
        .ok_or(Error::OrderNotFound)?;
    match claim {
        Claim::Fresh => {}
        Claim::Reused => return Err(Error::KeyReused),
        Claim::Replay { .. } => {
            let version = storage::given_up_version(&mut tx, user_id, order_id).await?;
            return version
                .map(|version| GivenUp::Before(order.as_given_up(version)))
                .ok_or(Error::OrderNotFound);
        }
    }
    let status = status::cancel(order.status)?;
    if !expected(order.version) {
        return Err(Error::VersionMismatch);
    }
    let event_id = EventId::new();
    let version = storage::change(&mut tx, &order, status, (event_id, trace.recorded()), now)
        .await?
        .ok_or(Error::Unavailable)?;
    let request = order.refund_request(Some(now));
    outbox::append_as(&mut tx, event_id, &request, &trace).await?;
    tx.commit().await?;
    Ok(GivenUp::Now(order.as_given_up(version)))
}
