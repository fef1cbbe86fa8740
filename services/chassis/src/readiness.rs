//! Whether this process should be sent work: named checks, each with a bounded time. Liveness is another question,
//! and never asks the database or the broker.

use std::{fmt, time::Duration};

use futures_util::future::{BoxFuture, join_all};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::{BoxError, chain};

/// How long one check may take; slower counts as not ready.
pub const CHECK_TIME_MAX: Duration = Duration::from_secs(1);

/// The checks of a process.
pub struct Readiness {
    stopping: CancellationToken,
    checks: Vec<(&'static str, Check)>,
}

type Check = Box<dyn Fn() -> BoxFuture<'static, Result<(), BoxError>> + Send + Sync>;

/// The answer: ready or not, and why not.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether every check passed and the process is not stopping.
    pub ready: bool,
    /// Each check by name.
    pub checks: Vec<Outcome>,
}

/// What one check said.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The check's name.
    pub name: &'static str,
    /// Whether it passed.
    pub ready: bool,
    /// Why it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Readiness {
    /// No checks yet; never ready once `stopping` is cancelled.
    #[must_use]
    pub fn new(stopping: CancellationToken) -> Self {
        Self {
            stopping,
            checks: Vec::new(),
        }
    }

    /// Adds a check under its name.
    pub fn check<F>(&mut self, name: &'static str, check: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let check: Check = Box::new(move || Box::pin(check()));
        self.checks.push((name, check));
    }

    /// Asks all checks at once.
    pub async fn report(&self) -> Report {
        let mut checks = join_all(
            self.checks
                .iter()
                .map(|(name, check)| outcome(name, check())),
        )
        .await;
        if self.stopping.is_cancelled() {
            checks.push(Outcome {
                name: "process",
                ready: false,
                detail: Some("stopping".to_owned()),
            });
        }
        Report {
            ready: checks.iter().all(|outcome| outcome.ready),
            checks,
        }
    }
}

async fn outcome(name: &'static str, check: impl Future<Output = Result<(), BoxError>>) -> Outcome {
    let detail = match tokio::time::timeout(CHECK_TIME_MAX, check).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(chain(&*error).to_string()),
        Err(_) => Some(format!("no answer within {CHECK_TIME_MAX:?}")),
    };
    Outcome {
        name,
        ready: detail.is_none(),
        detail,
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.checks.iter().map(|(name, _)| name))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(check: fn() -> BoxFuture<'static, Result<(), BoxError>>) -> Readiness {
        let mut readiness = Readiness::new(CancellationToken::new());
        readiness.check("database", check);
        readiness
    }

    #[tokio::test]
    async fn a_process_is_ready_when_all_checks_pass_and_it_is_not_stopping() {
        let readiness = with(|| Box::pin(async { Ok(()) }));
        assert!(readiness.report().await.ready);
        readiness.stopping.cancel();
        assert!(!readiness.report().await.ready);
    }

    #[tokio::test]
    async fn a_failed_check_says_its_name_and_reason() {
        let report = with(|| Box::pin(async { Err("connection refused".into()) }))
            .report()
            .await;
        assert!(!report.ready);
        assert_eq!(report.checks[0].name, "database");
        assert_eq!(
            report.checks[0].detail.as_deref(),
            Some("connection refused")
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_that_hangs_is_not_ready_within_its_time() {
        let report = with(|| Box::pin(std::future::pending())).report().await;
        assert!(!report.ready);
    }
}
