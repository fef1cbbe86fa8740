//! A client of `/ops/v1` whose errors say what to do next.

use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use reqwest::{RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use url::Url;

use crate::{config::OperateConfig, ops::Service};

/// How long one request may take.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(15);

/// The operators' API of a shop.
pub(super) struct Client {
    http: reqwest::Client,
    address: Url,
    token: SecretString,
}

impl Client {
    pub(super) fn new(config: OperateConfig) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(REQUEST_TIME_MAX)
            .build()
            .context("no HTTP client")?;
        Ok(Self {
            http,
            address: config.url,
            token: config.token,
        })
    }

    /// Asks a service; none if it has nothing of that name.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        service: Service,
        path: &str,
        query: &impl Serialize,
    ) -> anyhow::Result<Option<T>> {
        let mut url = self.url(service, path);
        if let Value::Object(parameters) = serde_json::to_value(query)? {
            for (name, value) in parameters {
                let text = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                url.query_pairs_mut().append_pair(&name, &text);
            }
        }
        self.send(self.http.get(url)).await
    }

    /// Has a service do something.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        service: Service,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        let url = self.url(service, path);
        let answer = self.send(self.http.post(url).json(body)).await?;
        answer.with_context(|| format!("{} has no {path}", self.address))
    }

    fn url(&self, service: Service, path: &str) -> Url {
        let mut url = self.address.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}{}/{path}", service.path()));
        url.set_query(None);
        url
    }

    async fn send<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> anyhow::Result<Option<T>> {
        let response = request
            .bearer_auth(self.token.expose_secret())
            .send()
            .await
            .with_context(|| {
                format!(
                    "no answer from {}: is the shop running there (`make run` on this machine), and is --url right?",
                    self.address
                )
            })?;
        let status = response.status();
        let body = response.bytes().await.context("the answer broke off")?;
        if status.is_success() {
            return serde_json::from_slice(&body).map(Some).with_context(|| {
                format!(
                    "{} does not speak the operators' API: is --url right?",
                    self.address
                )
            });
        }
        let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
        match status {
            StatusCode::NOT_FOUND if is_about_a_thing(&problem) => Ok(None),
            StatusCode::NOT_FOUND => bail!(
                "{} has no operators' API: is --url right, and does that process serve the order or payment service?",
                self.address
            ),
            StatusCode::UNAUTHORIZED => bail!(
                "the operators' token was refused (401): GOZON_OPERATOR_TOKEN or its _FILE must be the one the services \
                 were started with, and services started without one have no operators"
            ),
            StatusCode::FORBIDDEN => bail!(
                "this token is a customer's (403): the operators' token is wanted, see GOZON_OPERATOR_TOKEN"
            ),
            _ => Err(anyhow!("{status}: {}", said(&problem))),
        }
    }
}

/// Whether a 404 says that a thing is missing, and not the whole path.
fn is_about_a_thing(problem: &Value) -> bool {
    let code = problem["code"].as_str().unwrap_or_default();
    code.ends_with("_not_found")
}

/// What a problem says, and under which trace it can be found.
fn said(problem: &Value) -> String {
    let field = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    format!(
        "{}. {} (trace {})",
        field("title"),
        field("detail"),
        field("trace_id")
    )
}
