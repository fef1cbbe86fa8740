//! What kind of installation this is: it decides which identities and paths exist at all.

use std::{fmt, str::FromStr};

/// Demo or production.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// For trying the shop out: a person types a user id, and the original's paths exist.
    Demo,
    /// For customers: neither of these.
    Production,
}

/// A word that names no profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a profile is `demo` or `production`")]
pub struct UnknownProfile;

impl Profile {
    /// Whether this is a demo.
    #[must_use]
    pub const fn is_demo(self) -> bool {
        matches!(self, Self::Demo)
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Demo => "demo",
            Self::Production => "production",
        })
    }
}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "demo" => Ok(Self::Demo),
            "production" => Ok(Self::Production),
            _ => Err(UnknownProfile),
        }
    }
}
