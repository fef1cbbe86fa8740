//! What a shop's processes say of themselves: whether they are ready, and their metrics.

use std::collections::BTreeMap;

use reqwest::Client;
use url::Url;

use super::{READY_WITHIN, Role, Shop};
use crate::{http_client, poll_until, process::Process};

impl Shop {
    /// Waits until every process says that it is ready.
    ///
    /// # Panics
    /// When one does not become ready.
    pub async fn all_ready(&self) {
        let http = http_client();
        for role in self.layout.roles() {
            self.ready(*role, &http).await;
        }
    }

    /// Waits until the relays of each database have shared its lanes out evenly, as their metrics tell. While shares
    /// change, a lane can be without an owner for a second; a test that measures less must not begin there.
    ///
    /// # Panics
    /// When they do not.
    pub async fn lanes_shared(&self) {
        poll_until("the relays share their lanes", READY_WITHIN, async || {
            let mut shares: BTreeMap<String, Vec<u32>> = BTreeMap::new();
            for role in self.layout.roles() {
                let text = self.metrics(*role).await;
                for (database, lanes) in text.lines().filter_map(lanes_owned) {
                    shares.entry(database).or_default().push(lanes);
                }
            }
            let even = |lanes: &Vec<u32>| {
                lanes.iter().sum::<u32>() == 64 && lanes.iter().all(|share| *share == lanes[0])
            };
            (shares.len() == 2 && shares.values().all(even)).then_some(())
        })
        .await;
    }

    /// What a process tells Prometheus; empty when it does not answer.
    pub async fn metrics(&self, role: Role) -> String {
        let url = self.admin_url(role).join("/metrics");
        let url = url.expect("a path makes a URL");
        match http_client().get(url).send().await {
            Ok(response) => response.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Whether a process answers, and answers that it is ready.
    pub async fn is_ready(&self, role: Role) -> bool {
        says_ready(&self.readiness_url(role), &http_client()).await
    }

    pub(super) async fn ready(&self, role: Role, http: &Client) {
        let url = self.readiness_url(role);
        let what = format!("{role:?} is ready");
        poll_until(&what, READY_WITHIN, async || {
            assert!(
                self.processes().get_mut(&role).is_some_and(Process::runs),
                "{role:?} ended at its start\n{}",
                self.logs.tail(&role.name())
            );
            says_ready(&url, http).await.then_some(())
        })
        .await;
    }

    fn readiness_url(&self, role: Role) -> Url {
        let url = self.admin_url(role).join("/readyz");
        url.expect("a path makes a URL")
    }
}

/// Database and number of lanes from a line of metrics.
fn lanes_owned(line: &str) -> Option<(String, u32)> {
    let (labels, value) = line
        .strip_prefix("gozon_relay_lanes_owned{")?
        .split_once("} ")?;
    let database = labels.split("database=\"").nth(1)?.split('"').next()?;
    Some((database.to_owned(), value.parse().ok()?))
}

async fn says_ready(url: &Url, http: &Client) -> bool {
    let response = http.get(url.clone()).send().await;
    response.is_ok_and(|response| response.status().is_success())
}
