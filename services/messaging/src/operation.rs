//! The operators' log: who changed what, and why. A row is written in the transaction of the change it speaks of, and no
//! role may change or delete one.

use serde_json::Value;
use sqlx::{PgConnection, PgTransaction};
use time::OffsetDateTime;
use uuid::Uuid;

/// The most operations on a page.
pub const MAX_PAGE: i64 = 500;

/// The longest reason, in characters.
pub const MAX_REASON_CHARS: usize = 1_000;

/// A change by an operator, to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation<'a> {
    /// The operator, as the identity provider names them: 1 to 200 characters.
    pub who: &'a str,
    /// What was done, as a dotted name: `dead_letters.redrive`.
    pub action: &'static str,
    /// What was asked for.
    pub parameters: Value,
    /// How many rows it changed.
    pub affected: u64,
    /// Why, in the operator's words, where the action asks for them: 1 to [`MAX_REASON_CHARS`] characters.
    pub reason: Option<&'a str>,
    /// The client's name for its request, where the action takes one.
    pub request_id: Option<Uuid>,
    /// What is answered, where the request can be repeated.
    pub result: Option<Value>,
}

/// A recorded operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Grows with time; the cursor of [`list`]: [`Sought::before`].
    pub id: i64,
    /// When it was done.
    pub at: OffsetDateTime,
    /// Who did it.
    pub who: String,
    /// What was done.
    pub action: String,
    /// What was asked for.
    pub parameters: Value,
    /// How many rows it changed.
    pub affected: i64,
    /// Why.
    pub reason: Option<String>,
    /// The client's name for its request.
    pub request_id: Option<Uuid>,
    /// How it went on; none unless it is a redrive that can be followed.
    pub progress: Option<Progress>,
}

/// How a redrive goes on: of the letters it marked, how many ended how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Settled, found settled before, or opened into their events.
    pub settled: i64,
    /// Dead letters again.
    pub died_again: i64,
    /// Those whose mark an operator took off.
    pub cancelled: i64,
    /// Given up by an operator.
    pub discarded: i64,
    /// Still marked.
    pub left: i64,
}

/// Which operations are meant: those that meet every condition that is set.
#[derive(Debug, Clone, Default)]
pub struct Sought {
    /// Those before this one, the last on the page before.
    pub before: Option<i64>,
    /// That of this request.
    pub request_id: Option<Uuid>,
    /// Those that did this.
    pub action: Option<String>,
}

/// An operation whose request is repeated.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Earlier {
    pub(crate) id: i64,
    pub(crate) action: String,
    pub(crate) parameters: Value,
    pub(crate) reason: Option<String>,
    pub(crate) result: Option<Value>,
}

/// Records an operation in the transaction of its change, and gives the record's id.
pub async fn record(
    tx: &mut PgTransaction<'_>,
    operation: &Operation<'_>,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        "insert into messaging.operation (who, action, parameters, affected, reason, request_id, result)
         values ($1, $2, $3, $4, $5, $6, $7)
         returning id",
        operation.who,
        operation.action,
        operation.parameters,
        i64::try_from(operation.affected).unwrap_or(i64::MAX),
        operation.reason,
        operation.request_id,
        operation.result,
    )
    .fetch_one(&mut **tx)
    .await
}

/// The operation of a request, if it was carried out. A twin under way is waited for, as long as locks are.
pub(crate) async fn earlier(
    tx: &mut PgTransaction<'_>,
    request_id: Uuid,
) -> Result<Option<Earlier>, sqlx::Error> {
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended('messaging.operation ' || $1::uuid, 0))",
        request_id,
    )
    .execute(&mut **tx)
    .await?;
    // A statement of its own: it sees what the twin has committed.
    sqlx::query_as!(
        Earlier,
        "select id, action, parameters, reason, result from messaging.operation where request_id = $1",
        request_id,
    )
    .fetch_optional(&mut **tx)
    .await
}

/// Operations, newest first. At most [`MAX_PAGE`].
pub async fn list(
    connection: &mut PgConnection,
    sought: &Sought,
    limit: i64,
) -> Result<Vec<Recorded>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"with page as (
            select id, at, who, action, parameters, affected, reason, request_id
            from messaging.operation
            where id < $1 and ($2::uuid is null or request_id = $2) and ($3::text is null or action = $3)
            order by id desc
            limit $4
        )
        select page.id, at, who, action, parameters, affected, reason, request_id,
               settled as "settled!", died_again as "died_again!", cancelled as "cancelled!",
               discarded as "discarded!", marked as "marked!"
        from page,
            lateral (
                select coalesce(sum(letters) filter (where outcome = 'settled'), 0)::bigint as settled,
                       coalesce(sum(letters) filter (where outcome = 'died_again'), 0)::bigint as died_again,
                       coalesce(sum(letters) filter (where outcome = 'cancelled'), 0)::bigint as cancelled,
                       coalesce(sum(letters) filter (where outcome = 'discarded'), 0)::bigint as discarded
                from (
                    select outcome, 1 as letters
                    from messaging.redrive_end
                    where redrive_end.request_id = page.request_id
                    union all
                    select outcome, letters
                    from messaging.redrive_ended
                    where redrive_ended.request_id = page.request_id
                ) as each
            ) as ended,
            lateral (
                select count(*) as marked
                from messaging.dead_letter
                where redrive_request = page.request_id and redrive_at is not null
            ) as waiting
        order by page.id desc"#,
        sought.before.unwrap_or(i64::MAX),
        sought.request_id,
        sought.action,
        limit.clamp(1, MAX_PAGE),
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Recorded {
            id: row.id,
            at: row.at,
            who: row.who,
            action: row.action,
            parameters: row.parameters,
            affected: row.affected,
            reason: row.reason,
            request_id: row.request_id,
            progress: row.request_id.map(|_| Progress {
                settled: row.settled,
                died_again: row.died_again,
                cancelled: row.cancelled,
                discarded: row.discarded,
                left: row.marked,
            }),
        })
        .collect())
}
