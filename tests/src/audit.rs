//! `gozon audit` on a shop under test: the oracle of every test that breaks something.

use serde_json::Value;

use crate::{Login, Service, Shop, process::gozon_output};

/// What an audit said.
#[derive(Debug)]
pub struct Audit {
    /// The exit status: 0 all promises hold, 1 one is broken, 2 it could not be found out.
    pub status: Option<i32>,
    /// The report.
    pub report: Value,
}

impl Shop {
    /// Audits the shop as its operator would, with more arguments if need be.
    ///
    /// # Panics
    /// When the audit writes no report.
    pub async fn audit(&self, arguments: &[&str]) -> Audit {
        let urls = Service::ALL.map(|service| self.database_url(service, Login::Audit));
        let environment = urls
            .each_ref()
            .map(|(name, url)| (name.as_str(), url.as_str()));
        let arguments = [&["audit", "--json"], arguments].concat();
        let output = gozon_output(&arguments, &environment).await;
        let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            let said = String::from_utf8_lossy(&output.stderr);
            panic!("the audit wrote no report: {error}\n{said}")
        });
        Audit {
            status: output.status.code(),
            report,
        }
    }

    /// Audits a shop that has come to rest: all promises hold and no order is undecided or waits for its money.
    ///
    /// # Panics
    /// When that is not so.
    pub async fn assert_clean(&self) -> Audit {
        let audit = self.audit(&[]).await;
        audit.assert_holds();
        for waiting in ["new", "refunding"] {
            assert_eq!(audit.report["seen"][waiting], 0, "{:#}", audit.report);
        }
        audit
    }
}

impl Audit {
    /// All promises hold; orders may be on their way.
    ///
    /// # Panics
    /// When one is broken, or it was not found out.
    pub fn assert_holds(&self) {
        assert_eq!(self.status, Some(0), "{:#}", self.report);
        assert_eq!(self.report["verdict"], "holds", "{:#}", self.report);
    }

    /// Every check by its name, with its examples as text.
    #[must_use]
    pub fn checks(&self) -> Vec<(String, Vec<String>)> {
        self.check_reports()
            .filter_map(|check| {
                let examples = check["examples"].as_array()?.iter().map(|example| {
                    let [subject, detail] =
                        ["subject", "detail"].map(|field| example[field].as_str());
                    format!(
                        "{}: {}",
                        subject.unwrap_or_default(),
                        detail.unwrap_or_default()
                    )
                });
                Some((check["check"].as_str()?.to_owned(), examples.collect()))
            })
            .collect()
    }

    /// The checks that found something, in the order of the report, and how many violations each found.
    #[must_use]
    pub fn violations(&self) -> Vec<(String, u64)> {
        self.check_reports()
            .filter_map(|check| {
                let name = check["check"].as_str()?.to_owned();
                Some((name, check["violations"].as_u64()?))
            })
            .filter(|(_, violations)| *violations > 0)
            .collect()
    }

    /// The checks whose examples speak of one of these.
    #[must_use]
    pub fn about(&self, subjects: &[String]) -> Vec<String> {
        let speaks = |example: &String| subjects.iter().any(|subject| example.contains(subject));
        let checks = self.checks().into_iter();
        checks
            .filter(|(_, examples)| examples.iter().any(speaks))
            .map(|(check, _)| check)
            .collect()
    }

    fn check_reports(&self) -> impl Iterator<Item = &Value> {
        let promises = self.report["promises"].as_array().into_iter().flatten();
        promises.flat_map(|promise| promise["checks"].as_array().into_iter().flatten())
    }
}
