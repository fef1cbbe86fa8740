//! A small client of one service's public API that turns problems into errors.

use std::time::Duration;

use anyhow::{Context, anyhow};
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

/// How long one request may take.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(15);

/// A service, seen by one customer.
pub(super) struct Client<'t> {
    http: reqwest::Client,
    address: Url,
    token: Option<&'t SecretString>,
}

impl<'t> Client<'t> {
    /// Without a token it is nobody yet.
    pub(super) fn new(mut address: Url, token: Option<&'t SecretString>) -> anyhow::Result<Self> {
        if !address.path().ends_with('/') {
            // Otherwise joining would replace the last segment.
            address.set_path(&format!("{}/", address.path()));
        }
        let http = reqwest::Client::builder()
            .timeout(REQUEST_TIME_MAX)
            .build()
            .context("no HTTP client")?;
        Ok(Self {
            http,
            address,
            token,
        })
    }

    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.send(self.http.get(self.address.join(path)?)).await
    }

    /// Posts under a new idempotency key.
    pub(super) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self
            .http
            .post(self.address.join(path)?)
            .header("Idempotency-Key", Uuid::new_v4().to_string())
            .json(body);
        self.send(request).await
    }

    async fn send(&self, mut request: RequestBuilder) -> anyhow::Result<Value> {
        if let Some(token) = self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        let response = request.send().await?;
        let status = response.status();
        let body = response.bytes().await?;
        let json: Value = serde_json::from_slice(&body).unwrap_or_default();
        if status.is_success() {
            Ok(json)
        } else {
            Err(anyhow!("{status}: {}", said(&json)))
        }
    }
}

/// What a problem says, and under which trace it can be found.
fn said(problem: &Value) -> String {
    let field = |name: &str| problem[name].as_str().unwrap_or("-").to_owned();
    format!(
        "{} {} (trace {})",
        field("title"),
        field("detail"),
        field("trace_id")
    )
}
