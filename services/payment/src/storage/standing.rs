//! What stands before a batch is decided.

use contracts::{AccountId, Money, OrderId, UserId};
use sqlx::PgTransaction;
use time::OffsetDateTime;

use super::{
    account::Account,
    payment::{self, Payment},
};

/// A decision that stands, or an account.
struct Row {
    /// The account's.
    account_id: Option<AccountId>,
    /// The decision's.
    order_id: Option<OrderId>,
    user_id: UserId,
    /// What was to be paid, or the balance.
    minor: i64,
    outcome: Option<String>,
    reason: Option<String>,
    /// When the request arrived, or the account was opened.
    since: OffsetDateTime,
    decided_at: Option<OffsetDateTime>,
}

/// Locks the accounts of these users until the transaction ends and reads what stands in them then, with the decisions on
/// these orders. Always in the order of the users' ids, so that two batches never wait for each other; not against foreign
/// keys, which change no balance.
///
/// The two are one statement, for a lone payment waits longer for a statement's way than for its rows. A decision that
/// another transaction makes while this one waits for its lock is not among them: writing a second one fails.
pub(crate) async fn read_and_lock(
    tx: &mut PgTransaction<'_>,
    order_ids: &[OrderId],
    user_ids: &[UserId],
) -> Result<(Vec<Payment>, Vec<Account>), sqlx::Error> {
    let order_ids: Vec<_> = order_ids.iter().map(|id| id.as_uuid()).collect();
    let user_ids: Vec<i64> = user_ids.iter().map(|user_id| user_id.as_i64()).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"with locked as (
             select id, user_id, balance_minor, created_at
             from payments.account
             where user_id = any($2)
             order by user_id
             for no key update
         )
         select null as "account_id: AccountId", order_id as "order_id?: OrderId", user_id as "user_id!: UserId",
                amount_minor as "minor!", outcome as "outcome?", reason, received_at as "since!",
                decided_at as "decided_at?"
         from payments.payment
         where order_id = any($1)
         union all
         select id, null, user_id, balance_minor, null, null, created_at, null
         from locked"#,
        &order_ids,
        &user_ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    let (mut payments, mut accounts) = (Vec::new(), Vec::new());
    for row in rows {
        match (row.account_id, row.order_id, row.outcome, row.decided_at) {
            (Some(id), ..) => accounts.push(Account {
                id,
                user_id: row.user_id,
                balance: Money::rub(row.minor),
                created_at: row.since,
            }),
            (None, Some(order_id), Some(outcome), Some(decided_at)) => {
                payments.push(Payment {
                    order_id,
                    user_id: row.user_id,
                    amount: Money::rub(row.minor),
                    decision: payment::read(&outcome, row.reason.as_deref())?,
                    received_at: row.since,
                    decided_at,
                });
            }
            _ => {
                return Err(sqlx::Error::Decode(
                    "neither a decision nor an account".into(),
                ));
            }
        }
    }
    Ok((payments, accounts))
}
