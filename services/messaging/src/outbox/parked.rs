//! Events that can never be sent: set aside durably, with their keys' later events behind them.

use sqlx::PgConnection;
use uuid::Uuid;

use super::OutboxRow;

/// Why an event is parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parking {
    /// It fits into no message.
    TooLarge,
    /// An earlier event of its key is parked.
    Behind,
}

impl Parking {
    /// The reason's stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Behind => "behind",
        }
    }
}

/// Parks a row; one that is parked already stays as it is.
pub async fn park(
    connection: &mut PgConnection,
    row: &OutboxRow,
    reason: Parking,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into messaging.parked (outbox_id, lane, key, event_id, type, body, reason)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (outbox_id) do nothing",
        row.id,
        row.lane.number(),
        row.key,
        row.event_id,
        row.kind,
        row.body,
        reason.as_str(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The keys in these lanes that have parked events.
pub async fn parked_keys(
    connection: &mut PgConnection,
    lanes: &[i16],
) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "select distinct key from messaging.parked where lane = any($1)",
        lanes
    )
    .fetch_all(connection)
    .await
}
