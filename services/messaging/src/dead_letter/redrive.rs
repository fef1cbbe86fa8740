//! Redrive: letters are marked, and the service that gave up on them settles them through the same handler. Nothing is
//! published.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::{PgConnection, PgTransaction};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Filter, Letter, ReasonCount, count_by_reason, list, store::End};
use crate::operation::{self, Earlier, MAX_REASON_CHARS, Operation};

/// The name of the action in the operators' log.
const ACTION: &str = "dead_letters.redrive";

/// How many letters a plan shows.
pub const PLAN_SAMPLES: i64 = 10;

/// A redrive that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct RedriveRequest<'a> {
    /// The client's name for it: the same again does nothing twice and is answered the same.
    pub id: Uuid,
    /// Which letters.
    pub filter: &'a Filter,
    /// How many become due per second.
    pub rate_per_second: NonZeroU32,
    /// The operator.
    pub by: &'a str,
    /// Why, if that is said: 1 to [`MAX_REASON_CHARS`] characters.
    pub reason: Option<&'a str>,
}

/// Why a redrive is not done.
#[derive(Debug, thiserror::Error)]
pub enum RedriveError {
    /// The reason is empty or too long.
    #[error("the reason must have 1 to {MAX_REASON_CHARS} characters")]
    Reason,
    /// Another request came under this id.
    #[error("the id of the request is another one's")]
    IdTaken,
    /// The database did not do what was asked.
    #[error("the letters could not be marked")]
    Database(#[from] sqlx::Error),
}

/// What a redrive would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// How many letters it would mark: the filter's limit counts, and those that are marked already do not.
    pub letters: u64,
    /// All the filter means, by queue and reason.
    pub by_reason: Vec<ReasonCount>,
    /// The newest of them.
    pub samples: Vec<Letter>,
}

/// What a redrive did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redriven {
    /// What there was to be marked, and how many were.
    pub plan: Plan,
    /// When the last of them becomes due; none if none was marked.
    pub last_due_at: Option<OffsetDateTime>,
    /// The last of them, behind which a next part begins; none if none was marked.
    pub last_id: Option<i64>,
    /// Its record in the operators' log.
    pub operation_id: i64,
}

/// A taking back that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct CancelRequest<'a> {
    /// Of which letters.
    pub filter: &'a Filter,
    /// Only what this request has marked, if one is given: [`RedriveRequest::id`].
    pub request_id: Option<Uuid>,
    /// The operator.
    pub by: &'a str,
    /// Why, if that is said: 1 to [`MAX_REASON_CHARS`] characters.
    pub reason: Option<&'a str>,
}

/// What taking a redrive back did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancelled {
    /// How many letters lost their mark.
    pub letters: u64,
    /// Its record in the operators' log.
    pub operation_id: i64,
}

/// What a redrive with this filter would do. Changes nothing.
pub async fn plan_redrive(
    connection: &mut PgConnection,
    filter: &Filter,
) -> Result<Plan, sqlx::Error> {
    let by_reason = count_by_reason(connection, filter).await?;
    let samples = Filter {
        limit: PLAN_SAMPLES,
        ..filter.clone()
    };
    let samples = list(connection, &samples, None).await?;
    let unmarked: i64 = by_reason
        .iter()
        .map(|count| count.letters - count.marked)
        .sum();
    Ok(Plan {
        letters: unmarked.min(filter.limit()).unsigned_abs(),
        by_reason,
        samples,
    })
}

/// What is kept of a redrive's answer, to be given again.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    plan: Plan,
    #[serde(with = "time::serde::rfc3339::option")]
    last_due_at: Option<OffsetDateTime>,
    #[serde(default)]
    last_id: Option<i64>,
}

/// Marks the letters a filter means, oldest first, so that they become due at the rate asked for; what is marked already
/// keeps its mark. Recorded in the operators' log, by which it is known again.
pub async fn redrive(
    tx: &mut PgTransaction<'_>,
    request: &RedriveRequest<'_>,
) -> Result<Redriven, RedriveError> {
    let reason = said(request.reason)?;
    let RedriveRequest {
        filter,
        rate_per_second,
        by,
        ..
    } = *request;
    let parameters = json!({"filter": filter.to_json(), "rate_per_second": rate_per_second});
    if let Some(earlier) = operation::earlier(tx, request.id).await? {
        let is_same = earlier.action == ACTION
            && earlier.parameters == parameters
            && earlier.reason.as_deref() == reason;
        return again(earlier)
            .filter(|_| is_same)
            .ok_or(RedriveError::IdTaken);
    }
    let mut plan = plan_redrive(tx, filter).await?;
    let Marked {
        letters,
        last_due_at,
        last_id,
    } = mark(tx, request).await?;
    plan.letters = letters.unsigned_abs();
    let kept = Kept {
        plan,
        last_due_at,
        last_id,
    };
    let operation = Operation {
        who: by,
        action: ACTION,
        parameters,
        affected: kept.plan.letters,
        reason,
        request_id: Some(request.id),
        result: Some(json!(kept)),
    };
    let operation_id = operation::record(tx, &operation).await?;
    Ok(Redriven {
        plan: kept.plan,
        last_due_at,
        last_id,
        operation_id,
    })
}

fn again(earlier: Earlier) -> Option<Redriven> {
    let kept: Kept = serde_json::from_value(earlier.result?).ok()?;
    Some(Redriven {
        plan: kept.plan,
        last_due_at: kept.last_due_at,
        last_id: kept.last_id,
        operation_id: earlier.id,
    })
}

/// What was marked.
struct Marked {
    letters: i64,
    last_due_at: Option<OffsetDateTime>,
    last_id: Option<i64>,
}

/// Marks the letters.
async fn mark(
    tx: &mut PgTransaction<'_>,
    request: &RedriveRequest<'_>,
) -> Result<Marked, sqlx::Error> {
    let filter = request.filter;
    sqlx::query_as!(
        Marked,
        r#"with chosen as (
            select id
            from messaging.dead_letter
            where ($1::text is null or consumer = $1)
              and ($2::text is null or reason_class = $2)
              and ($3::text is null or type = $3)
              and ($4::float8 is null or first_seen_at <= now() - make_interval(secs => $4))
              and ($5::bigint[] is null or id = any($5))
              and ($10::bigint is null or id > $10)
              and redrive_at is null
            order by id
            limit $6
            for update
        ),
        numbered as (
            select id, row_number() over (order by id) - 1 as place from chosen
        ),
        marked as (
            update messaging.dead_letter as letter
            set redrive_at = now() + make_interval(secs => place / $7::float8), redrive_by = $8, redrive_request = $9
            from numbered
            where letter.id = numbered.id
            returning redrive_at, letter.id
        )
        select count(*) as "letters!", max(redrive_at) as last_due_at, max(id) as last_id from marked"#,
        filter.queue.as_deref(),
        filter.reason(),
        filter.kind.as_deref(),
        filter.min_age_seconds(),
        filter.ids(),
        filter.limit(),
        f64::from(request.rate_per_second.get()),
        request.by,
        request.id,
        filter.after,
    )
    .fetch_one(&mut **tx)
    .await
}

/// A reason without what stands around it, if it is one.
fn said(reason: Option<&str>) -> Result<Option<&str>, RedriveError> {
    let reason = reason.map(str::trim);
    if reason.is_some_and(|reason| !(1..=MAX_REASON_CHARS).contains(&reason.chars().count())) {
        return Err(RedriveError::Reason);
    }
    Ok(reason)
}

/// Takes the marks off the letters that are meant and not settled yet. Recorded in the operators' log.
pub async fn cancel_redrive(
    tx: &mut PgTransaction<'_>,
    request: &CancelRequest<'_>,
) -> Result<Cancelled, RedriveError> {
    let CancelRequest {
        filter,
        request_id,
        by,
        reason,
    } = *request;
    let reason = said(reason)?;
    let letters = sqlx::query!(
        "with chosen as (
            select id, redrive_request
            from messaging.dead_letter
            where ($1::text is null or consumer = $1)
              and ($2::text is null or reason_class = $2)
              and ($3::text is null or type = $3)
              and ($4::float8 is null or first_seen_at <= now() - make_interval(secs => $4))
              and ($5::bigint[] is null or id = any($5))
              and ($9::bigint is null or id > $9)
              and redrive_at is not null
              and ($8::uuid is null or redrive_request = $8)
            order by id
            limit $6
            for update
        ),
        ended as (
            insert into messaging.redrive_end (request_id, letter_id, outcome)
            select redrive_request, id, $7 from chosen where redrive_request is not null
        )
        update messaging.dead_letter as letter
        set redrive_at = null, redrive_by = null, redrive_request = null
        from chosen
        where letter.id = chosen.id",
        filter.queue.as_deref(),
        filter.reason(),
        filter.kind.as_deref(),
        filter.min_age_seconds(),
        filter.ids(),
        filter.limit(),
        End::Cancelled.as_str(),
        request_id,
        filter.after,
    )
    .execute(&mut **tx)
    .await?
    .rows_affected();
    let operation = Operation {
        who: by,
        action: "dead_letters.cancel_redrive",
        parameters: json!({"filter": filter.to_json(), "request_id": request_id}),
        affected: letters,
        reason,
        request_id: None,
        result: None,
    };
    Ok(Cancelled {
        letters,
        operation_id: operation::record(tx, &operation).await?,
    })
}
