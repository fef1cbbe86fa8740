//! Redrive: letters are marked, and the service that gave up on them settles them through the same handler. Nothing is
//! published.

use std::num::NonZeroU32;

use serde_json::json;
use sqlx::{PgConnection, PgTransaction};
use time::OffsetDateTime;

use super::{Filter, Letter, ReasonCount, count_by_reason, list};
use crate::operation::{self, Operation};

/// How many letters a plan shows.
pub const PLAN_SAMPLES: i64 = 10;

/// What a redrive would do.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// How many letters it marked.
    pub letters: u64,
    /// When the last of them becomes due; none if none was marked.
    pub last_due_at: Option<OffsetDateTime>,
    /// Its record in the operators' log.
    pub operation_id: i64,
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

/// Marks the letters a filter means, oldest first, so that they become due at this rate per second; what is marked
/// already keeps its mark. Recorded in the operators' log.
pub async fn redrive(
    tx: &mut PgTransaction<'_>,
    filter: &Filter,
    rate_per_second: NonZeroU32,
    by: &str,
) -> Result<Redriven, sqlx::Error> {
    let marked = sqlx::query!(
        r#"with chosen as (
            select id
            from messaging.dead_letter
            where ($1::text is null or consumer = $1)
              and ($2::text is null or reason_class = $2)
              and ($3::text is null or type = $3)
              and ($4::float8 is null or first_seen_at <= now() - make_interval(secs => $4))
              and ($5::bigint[] is null or id = any($5))
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
            set redrive_at = now() + make_interval(secs => place / $7::float8), redrive_by = $8
            from numbered
            where letter.id = numbered.id
            returning redrive_at
        )
        select count(*) as "letters!", max(redrive_at) as last_due_at from marked"#,
        filter.queue.as_deref(),
        filter.reason(),
        filter.kind.as_deref(),
        filter.min_age_seconds(),
        filter.ids(),
        filter.limit(),
        f64::from(rate_per_second.get()),
        by,
    )
    .fetch_one(&mut **tx)
    .await?;
    let letters = marked.letters.unsigned_abs();
    let operation = Operation {
        who: by,
        action: "dead_letters.redrive",
        parameters: json!({"filter": filter.to_json(), "rate_per_second": rate_per_second}),
        affected: letters,
        reason: None,
    };
    Ok(Redriven {
        letters,
        last_due_at: marked.last_due_at,
        operation_id: operation::record(tx, &operation).await?,
    })
}

/// Takes the marks off the letters a filter means that are not settled yet. Recorded in the operators' log.
pub async fn cancel_redrive(
    tx: &mut PgTransaction<'_>,
    filter: &Filter,
    by: &str,
) -> Result<Cancelled, sqlx::Error> {
    let letters = sqlx::query!(
        "with chosen as (
            select id
            from messaging.dead_letter
            where ($1::text is null or consumer = $1)
              and ($2::text is null or reason_class = $2)
              and ($3::text is null or type = $3)
              and ($4::float8 is null or first_seen_at <= now() - make_interval(secs => $4))
              and ($5::bigint[] is null or id = any($5))
              and redrive_at is not null
            order by id
            limit $6
            for update
        )
        update messaging.dead_letter as letter
        set redrive_at = null, redrive_by = null
        from chosen
        where letter.id = chosen.id",
        filter.queue.as_deref(),
        filter.reason(),
        filter.kind.as_deref(),
        filter.min_age_seconds(),
        filter.ids(),
        filter.limit(),
    )
    .execute(&mut **tx)
    .await?
    .rows_affected();
    let operation = Operation {
        who: by,
        action: "dead_letters.cancel_redrive",
        parameters: json!({"filter": filter.to_json()}),
        affected: letters,
        reason: None,
    };
    Ok(Cancelled {
        letters,
        operation_id: operation::record(tx, &operation).await?,
    })
}
