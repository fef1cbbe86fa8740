//! How settling can fail, and what follows: a closed choice between trying again and giving up on the message.

/// Any error, as a cause.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a message became a dead letter, as a closed class: what an operator groups by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReasonClass {
    /// Not a batch of events: empty, not UTF-8, not JSON, no array, no event.
    Malformed,
    /// The AMQP content type is not a `CloudEvents` batch.
    ContentType,
    /// The event id is missing, no `UUIDv7`, or of an instant outside what the inbox keeps.
    EventId,
    /// A type, or a version of it, that the consumer does not know.
    UnknownType,
    /// A field is missing, of the wrong type or out of range.
    Invalid,
    /// The same event id, or the same order, with other contents.
    Conflict,
    /// An answer about an order that does not exist, or a refund of one whose payment nobody asked for.
    UnknownOrder,
    /// Larger than any message of ours.
    TooLarge,
    /// The database refused the values.
    Database,
    /// The broker gave up delivering it.
    Broker,
    /// It alone failed for causes that should have passed, as often as it is tried.
    Exhausted,
}

impl ReasonClass {
    /// The class's stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::ContentType => "content_type",
            Self::EventId => "event_id",
            Self::UnknownType => "unknown_type",
            Self::Invalid => "invalid",
            Self::Conflict => "conflict",
            Self::UnknownOrder => "unknown_order",
            Self::TooLarge => "too_large",
            Self::Database => "database",
            Self::Broker => "broker",
            Self::Exhausted => "exhausted",
        }
    }

    /// All classes.
    pub const ALL: [Self; 11] = [
        Self::Malformed,
        Self::ContentType,
        Self::EventId,
        Self::UnknownType,
        Self::Invalid,
        Self::Conflict,
        Self::UnknownOrder,
        Self::TooLarge,
        Self::Database,
        Self::Broker,
        Self::Exhausted,
    ];

    /// Reads the stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == name)
    }
}

/// Why one message can never be settled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", class.as_str())]
pub struct Rejection {
    /// The class.
    pub class: ReasonClass,
    /// A sentence for the operator; never contents of the message beyond ids.
    pub reason: String,
}

impl Rejection {
    /// A rejection with its reason in words.
    pub fn new(class: ReasonClass, reason: impl Into<String>) -> Self {
        Self {
            class,
            reason: reason.into(),
        }
    }
}

/// How settling a batch failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The database is away: nothing in the batch is to blame, and nothing else can be settled either.
    #[error("the database is away")]
    Away(#[source] BoxError),
    /// The same batch may succeed later, or some of it may: it is halved, and what fails alone while others succeed is put
    /// off.
    #[error("settling failed for now")]
    Transient(#[source] BoxError),
    /// Some message in the batch can never be settled: the batch is halved until it stands alone.
    #[error("settling can never succeed")]
    Permanent(#[source] Rejection),
}

impl Failure {
    /// The kind of failure by a stable name.
    #[must_use]
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Away(_) => "away",
            Self::Transient(_) => "transient",
            Self::Permanent(_) => "permanent",
        }
    }

    /// Whatever the database says to somebody who has no connection yet, it cannot be used.
    pub(crate) fn away(error: sqlx::Error) -> Self {
        Self::Away(Box::new(error))
    }
}

impl From<sqlx::Error> for Failure {
    /// Values the database refuses (SQLSTATE classes 22, data exception, and 23, integrity constraint violation) stay
    /// refused; whatever else it says (lock, deadlock, time-out, a missing right) is about the moment, or says that it is
    /// no longer there to be asked.
    fn from(error: sqlx::Error) -> Self {
        let permanent = |error: sqlx::Error| {
            Self::Permanent(Rejection::new(ReasonClass::Database, error.to_string()))
        };
        match &error {
            sqlx::Error::Database(database) => match database.code().as_deref().unwrap_or_default()
            {
                code if code.starts_with("22") || code.starts_with("23") => permanent(error),
                code if says_away(code) => Self::Away(Box::new(error)),
                _ => Self::Transient(Box::new(error)),
            },
            sqlx::Error::Encode(_) | sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => {
                permanent(error)
            }
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Away(Box::new(error)),
            _ => Self::Transient(Box::new(error)),
        }
    }
}

/// Whether an SQLSTATE says that the server cannot be used: a broken connection (class 08), no resources (53), the
/// operator's intervention (57P: shutting down, crashed, starting), a failing disk (58), or a standby (25006).
fn says_away(code: &str) -> bool {
    ["08", "53", "57P", "58"]
        .iter()
        .any(|class| code.starts_with(class))
        || code == "25006"
}

impl From<crate::outbox::OutboxError> for Failure {
    fn from(error: crate::outbox::OutboxError) -> Self {
        match error {
            crate::outbox::OutboxError::Database(cause) => cause.into(),
            too_large @ crate::outbox::OutboxError::TooLarge { .. } => {
                Self::Permanent(Rejection::new(ReasonClass::TooLarge, too_large.to_string()))
            }
            serialize @ crate::outbox::OutboxError::Serialize(_) => {
                Self::Permanent(Rejection::new(ReasonClass::Invalid, serialize.to_string()))
            }
        }
    }
}
