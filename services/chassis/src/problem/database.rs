//! What a database error means to a client: try again (503), or our fault (500).

use sqlx::Error;

use super::Problem;
use crate::chain;

impl From<Error> for Problem {
    /// 503 while the database is away or overloaded, 500 for everything else; logs the error, this once.
    fn from(error: Error) -> Self {
        if is_transient(&error) {
            tracing::warn!(error = %chain(&error), "the database cannot answer a request right now");
            Self::unavailable()
        } else {
            Self::internal(&error)
        }
    }
}

/// Whether the same statement may well succeed in a moment: the database is away or overloaded.
#[must_use]
pub fn is_transient(error: &Error) -> bool {
    match error {
        Error::Io(_)
        | Error::PoolTimedOut
        | Error::PoolClosed
        | Error::WorkerCrashed
        // A port that is closed right after the accept (a balancer without a backend) looks like these.
        | Error::Protocol(_)
        | Error::Tls(_) => true,
        Error::Database(error) => error
            .code()
            .is_some_and(|code| is_transient_sqlstate(&code)),
        _ => false,
    }
}

/// The classes and codes of PostgreSQL (appendix A of its manual) that pass by themselves.
fn is_transient_sqlstate(code: &str) -> bool {
    const CLASSES: [&str; 4] = [
        "08", // connection exception
        "40", // transaction rollback: serialization failure, deadlock
        "53", // insufficient resources: too many connections, disk full
        "57", // operator intervention: shutdown, cannot connect now, statement timeout
    ];
    const LOCK_NOT_AVAILABLE: &str = "55P03";
    const IDLE_IN_TRANSACTION_TIMEOUT: &str = "25P03";
    CLASSES.iter().any(|class| code.starts_with(class))
        || code == LOCK_NOT_AVAILABLE
        || code == IDLE_IN_TRANSACTION_TIMEOUT
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;

    #[test]
    fn a_database_that_is_away_is_a_503() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let closed = Error::Protocol("unexpected response from SSLRequest: 0x00".to_owned());
        for error in [Error::PoolTimedOut, Error::Io(refused), closed] {
            assert_eq!(
                Problem::from(error).status(),
                StatusCode::SERVICE_UNAVAILABLE
            );
        }
    }

    #[test]
    fn an_error_of_ours_is_a_500() {
        assert_eq!(
            Problem::from(Error::RowNotFound).status(),
            StatusCode::INTERNAL_SERVER_ERROR
        );
    }

    #[test]
    fn a_shutdown_passes_and_a_missing_table_does_not() {
        for (code, transient) in [
            ("57P01", true),
            ("57014", true),
            ("40P01", true),
            ("53300", true),
            ("08006", true),
            ("55P03", true),
            ("42P01", false),
            ("23505", false),
            ("42501", false),
        ] {
            assert_eq!(is_transient_sqlstate(code), transient, "{code}");
        }
    }
}
