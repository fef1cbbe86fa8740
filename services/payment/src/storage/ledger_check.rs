//! What the ledger check reads: balances and sums of entries, both seen by one snapshot, in bounded pieces.

use contracts::AccountId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::ledger_check::LedgerPass;

/// An account, and the sum of the next of its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Summed {
    pub(crate) account_id: AccountId,
    pub(crate) balance_minor: i64,
    /// What the entries sum up to, in minor units.
    pub(crate) entries_minor: i64,
    /// How many they are: as many as were asked for if there may be more.
    pub(crate) entries: i64,
    /// The last one's number.
    pub(crate) last_number: i64,
}

/// Makes this connection the one that checks, until it is closed; says whether it is.
pub(crate) async fn try_lock(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select pg_try_advisory_lock(hashtext('payments.ledger_check')) as "locked!""#
    )
    .fetch_one(connection)
    .await
}

/// Writes down what a whole pass found.
pub(crate) async fn completed(
    connection: &mut PgConnection,
    pass: &LedgerPass,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into payments.ledger_check (completed_at, accounts, drifting_accounts, drift_minor)
         values ($1, $2, $3, $4)
         on conflict (one) do update
         set completed_at = $1, accounts = $2, drifting_accounts = $3, drift_minor = $4",
        pass.completed_at,
        pass.accounts,
        pass.drifting_accounts,
        pass.drift_minor,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What the last whole pass found; none before the first.
pub(crate) async fn last(connection: &mut PgConnection) -> Result<Option<LedgerPass>, sqlx::Error> {
    sqlx::query_as!(
        LedgerPass,
        "select completed_at, accounts, drifting_accounts, drift_minor from payments.ledger_check"
    )
    .fetch_optional(connection)
    .await
}

/// The `limit` accounts that follow one in the order of their ids, each with its first `entries_max` entries.
pub(crate) async fn page(
    connection: &mut PgConnection,
    after: Uuid,
    limit: i64,
    entries_max: i64,
) -> Result<Vec<Summed>, sqlx::Error> {
    sqlx::query_as!(
        Summed,
        r#"select account.id as "account_id!: AccountId", account.balance_minor as "balance_minor!",
                  coalesce(summed.minor, 0)::bigint as "entries_minor!", summed.entries as "entries!",
                  coalesce(summed.last_number, 0) as "last_number!"
           from (select id, balance_minor from payments.account where id > $1 order by id limit $2) as account
           cross join lateral (
               select sum(amount_minor) as minor, count(*) as entries, max(number) as last_number
               from (
                   select amount_minor, number from payments.ledger_entry
                   where account_id = account.id
                   order by number
                   limit $3
               ) as entry
           ) as summed
           order by account.id"#,
        after,
        limit,
        entries_max,
    )
    .fetch_all(connection)
    .await
}

/// One account with its next `entries_max` entries. Those up to `last_number` are for good: numbers are drawn while the
/// account is locked, so within an account a lower one is never committed later.
pub(crate) async fn more(
    connection: &mut PgConnection,
    account_id: AccountId,
    last_number: i64,
    entries_max: i64,
) -> Result<Summed, sqlx::Error> {
    sqlx::query_as!(
        Summed,
        r#"select account.id as "account_id!: AccountId", account.balance_minor as "balance_minor!",
                  coalesce(summed.minor, 0)::bigint as "entries_minor!", summed.entries as "entries!",
                  coalesce(summed.last_number, $2) as "last_number!"
           from payments.account as account
           cross join lateral (
               select sum(amount_minor) as minor, count(*) as entries, max(number) as last_number
               from (
                   select amount_minor, number from payments.ledger_entry
                   where account_id = $1 and number > $2
                   order by number
                   limit $3
               ) as entry
           ) as summed
           where account.id = $1"#,
        account_id.as_uuid(),
        last_number,
        entries_max,
    )
    .fetch_one(connection)
    .await
}
