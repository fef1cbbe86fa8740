//! Which migrations are applied, before and after, so that the command can say what it did.

use std::fmt;

use sqlx::PgConnection;

use crate::config::Database;

/// The newest applied version of each schema; None where there is none yet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Versions(Vec<(&'static str, Option<i64>)>);

impl Versions {
    pub(super) async fn read(
        connection: &mut PgConnection,
        database: Database,
    ) -> sqlx::Result<Self> {
        let service = match database {
            Database::Orders => (
                "orders",
                "select max(version) from orders._migrations where success",
            ),
            Database::Payments => (
                "payments",
                "select max(version) from payments._migrations where success",
            ),
        };
        let messaging = (
            "messaging",
            "select max(version) from messaging._migrations where success",
        );
        let mut versions = Vec::new();
        for (schema, statement) in [messaging, service] {
            let exists: bool = sqlx::query_scalar("select to_regclass($1) is not null")
                .bind(format!("{schema}._migrations"))
                .fetch_one(&mut *connection)
                .await?;
            let version = if exists {
                sqlx::query_scalar(statement)
                    .fetch_one(&mut *connection)
                    .await?
            } else {
                None
            };
            versions.push((schema, version));
        }
        Ok(Self(versions))
    }

    /// What has changed since `before`, in words.
    pub(super) fn since<'v>(&'v self, before: &'v Self) -> impl fmt::Display + 'v {
        Since {
            before,
            after: self,
        }
    }
}

struct Since<'v> {
    before: &'v Versions,
    after: &'v Versions,
}

impl fmt::Display for Since<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, ((schema, before), (_, after))) in
            self.before.0.iter().zip(&self.after.0).enumerate()
        {
            if index > 0 {
                f.write_str(", ")?;
            }
            let after = after.unwrap_or_default();
            match before {
                Some(before) if *before == after => write!(f, "{schema} is at version {after}")?,
                Some(before) => write!(f, "{schema} from version {before} to {after}")?,
                None => write!(f, "{schema} created at version {after}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_was_created_upgraded_and_left() {
        let versions =
            |messaging, orders| Versions(vec![("messaging", messaging), ("orders", orders)]);
        let said = |before: Versions, after: Versions| after.since(&before).to_string();
        assert_eq!(
            said(versions(None, None), versions(Some(3), Some(1))),
            "messaging created at version 3, orders created at version 1"
        );
        assert_eq!(
            said(versions(Some(2), Some(1)), versions(Some(3), Some(1))),
            "messaging from version 2 to 3, orders is at version 1"
        );
    }
}
