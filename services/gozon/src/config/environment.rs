//! The environment as the process found it: secrets are read from here and nowhere else.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::Context;
use chassis::{SessionKeys, identity::OperatorKey};
use messaging::broker::BrokerUrl;
use secrecy::{ExposeSecret, SecretString};

use super::secret_names::{OPERATOR_TOKEN, SESSION_KEYS};

/// The variables of this program. No `Debug`: it holds secrets.
pub(crate) struct Environment {
    variables: BTreeMap<String, String>,
}

/// Why a secret is not there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretError {
    #[error("{0} is not set: set it, or set {0}_FILE to the path of a file that holds it")]
    Missing(String),
    #[error("{0} and {0}_FILE are both set: set one of them")]
    Ambiguous(String),
    #[error("{0} is empty")]
    Empty(String),
    #[error("{0}_FILE: {path} cannot be read", path = .1.display())]
    Unreadable(String, PathBuf, #[source] std::io::Error),
}

impl Environment {
    /// The variables of this process that are meant for it.
    pub(crate) fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// A secret: the variable's value, or the contents of the file that the variable with `_FILE` names.
    pub(crate) fn secret(&self, name: &str) -> Result<SecretString, SecretError> {
        let (value, path) = (self.get(name), self.get(&format!("{name}_FILE")));
        let text = match (value, path) {
            (Some(value), None) => value.to_owned(),
            (None, Some(path)) => read(name, path)?,
            (None, None) => return Err(SecretError::Missing(name.to_owned())),
            (Some(_), Some(_)) => return Err(SecretError::Ambiguous(name.to_owned())),
        };
        let text = text.trim();
        if text.is_empty() {
            return Err(SecretError::Empty(name.to_owned()));
        }
        Ok(SecretString::from(text))
    }

    /// The same for a secret that may be absent.
    pub(crate) fn optional_secret(&self, name: &str) -> Result<Option<SecretString>, SecretError> {
        match self.secret(name) {
            Ok(secret) => Ok(Some(secret)),
            Err(SecretError::Missing(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The keys that sign and verify sessions.
    pub(crate) fn session_keys(&self) -> anyhow::Result<SessionKeys> {
        let text = self.secret(SESSION_KEYS)?;
        SessionKeys::parse(text.expose_secret()).context(SESSION_KEYS)
    }

    /// The operators' key, where there is one.
    pub(crate) fn operator_key(&self) -> anyhow::Result<OperatorKey> {
        match self.optional_secret(OPERATOR_TOKEN)? {
            Some(key) => OperatorKey::new(&key).context(OPERATOR_TOKEN),
            None => Ok(OperatorKey::none()),
        }
    }

    /// The broker's address with one of its users.
    pub(crate) fn broker(&self, name: &'static str) -> anyhow::Result<BrokerUrl> {
        BrokerUrl::parse(self.secret(name)?.expose_secret()).context(name)
    }

    /// Where this process is to end itself; development builds only.
    #[cfg(debug_assertions)]
    pub(crate) fn fault_plan(&self) -> Option<&str> {
        self.get(crate::runtime::FAULT_POINT)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self {
            variables: variables
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .filter(|(name, _)| name.starts_with("GOZON_"))
                .collect(),
        }
    }
}

fn read(name: &str, path: &str) -> Result<String, SecretError> {
    std::fs::read_to_string(path)
        .map_err(|error| SecretError::Unreadable(name.to_owned(), path.into(), error))
}
