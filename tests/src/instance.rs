//! The Postgres cluster and the RabbitMQ node that tests make their databases and vhosts on.

use std::{collections::HashMap, path::Path};

use url::Url;

/// Addresses and passwords of one cluster and one node, by the names `services/gozon/local/backing` gives them.
#[derive(Debug, Clone)]
pub enum Instance {
    /// The one the test driver started for this run.
    OfThisRun,
    /// One that a test started for itself.
    OfItsOwn(HashMap<String, String>),
}

impl Instance {
    /// The instance whose `env` and `admin.env` are in `folder`.
    ///
    /// # Panics
    /// When the files cannot be read.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        let mut values = HashMap::new();
        for file in ["env", "admin.env"] {
            let path = folder.join(file);
            let text = std::fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
            values.extend(
                text.lines()
                    .filter_map(|line| line.split_once('='))
                    .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())),
            );
        }
        Self::OfItsOwn(values)
    }

    /// The value of a setting.
    ///
    /// # Panics
    /// When it is not set.
    #[must_use]
    pub fn value(&self, name: &str) -> String {
        let value = match self {
            Self::OfThisRun => setting(name),
            Self::OfItsOwn(values) => values.get(name).cloned(),
        };
        value.unwrap_or_else(|| {
            panic!(
                "{name} is not set: run the tests through `make test`, or start their Postgres and RabbitMQ with \
                 `GOZON_LOCAL_DIR=.local/test GOZON_RABBITMQ_MANAGEMENT=1 services/gozon/local/backing start` and \
                 then `set -a; . .local/test/env; . .local/test/admin.env; set +a`"
            )
        })
    }

    /// A setting that is a URL.
    ///
    /// # Panics
    /// When it is not set or no URL.
    #[must_use]
    pub fn url(&self, name: &str) -> Url {
        self.value(name)
            .parse()
            .unwrap_or_else(|error| panic!("{name} is not a URL: {error}"))
    }
}

/// A setting of the test run, if it was given.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the environment tells tests where to run, and this is the one place that reads it"
)]
pub fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
