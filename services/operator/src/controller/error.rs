//! Why a reconcile failed. All of it is tried again: what is final is said in the resource's status, and is no failure.

use std::time::Duration;

use kube::core::Status;

use crate::ops::OpsError;

/// How long a call of the API server may take.
const CALL_TIME_MAX: Duration = Duration::from_secs(10);

/// Why a reconcile failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the API server refused ({code}): {message}", code = .0.code, message = .0.message)]
    Api(Box<Status>),
    #[error("the API server cannot be reached")]
    Unreachable(#[source] Box<kube::Error>),
    #[error("the API server has not answered within {} s", CALL_TIME_MAX.as_secs())]
    Unanswered,
    #[error("the resource is gone")]
    Gone,
    #[error(transparent)]
    Ops(#[from] OpsError),
}

impl Error {
    /// A class to count by.
    pub(crate) fn class(&self) -> &'static str {
        match self {
            Self::Api(status) if status.is_forbidden() => "forbidden",
            Self::Api(status) if status.is_conflict() => "conflict",
            Self::Api(status) if status.is_not_found() => "not_found",
            Self::Api(_) => "refused",
            Self::Unreachable(_) | Self::Unanswered => "unreachable",
            Self::Gone => "gone",
            Self::Ops(OpsError::Away { .. }) => "service_away",
            Self::Ops(OpsError::Refused { .. }) => "service_refused",
        }
    }

    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Api(status) if status.is_conflict())
    }

    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Api(status) if status.is_not_found())
    }

    pub(crate) const fn is_gone(&self) -> bool {
        matches!(self, Self::Gone)
    }
}

impl From<kube::Error> for Error {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::Api(status),
            other => Self::Unreachable(Box::new(other)),
        }
    }
}

/// Waits for a call of the API server, but not for ever.
pub(crate) async fn within<T>(
    call: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, Error> {
    match tokio::time::timeout(CALL_TIME_MAX, call).await {
        Ok(outcome) => outcome.map_err(Error::from),
        Err(_) => Err(Error::Unanswered),
    }
}
