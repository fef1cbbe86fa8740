//! A client of the operators' API, `/ops/v1`, of the two services: all that this operator knows of a database or the broker.

mod letters;
mod wire;

use std::time::Duration;

use reqwest::{RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::resource::Service;

pub use self::wire::{Lane, OutboxView, RelayView};

/// How long a question may take: longer than the service takes for any statement, so that whoever gives up knows that the
/// service has, too.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(15);

/// Where the services are, and the operators' token for them.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// Of the order service.
    pub order: Url,
    /// Of the payment service.
    pub payment: Url,
}

/// A client of both services.
#[derive(Debug, Clone)]
pub struct Ops {
    http: reqwest::Client,
    addresses: Addresses,
    token: SecretString,
}

/// Why a service did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum OpsError {
    /// No answer, or one that is not the service's or says that its database is away: asking again later may help.
    #[error("the {service} service does not answer: {why}", service = .service.as_str())]
    Away {
        /// Which.
        service: Service,
        /// In words.
        why: String,
        /// What the client met.
        #[source]
        cause: Option<reqwest::Error>,
    },
    /// It refused: asking again would not help.
    #[error("the {service} service refused: {why}", service = .service.as_str())]
    Refused {
        /// Which.
        service: Service,
        /// In words.
        why: String,
    },
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[error("no HTTP client")]
pub struct NoClient(#[source] reqwest::Error);

impl Ops {
    /// A client that asks nothing yet.
    pub fn new(addresses: Addresses, token: SecretString) -> Result<Self, NoClient> {
        let http = reqwest::Client::builder()
            .timeout(REQUEST_TIME_MAX)
            .build()
            .map_err(NoClient)?;
        Ok(Self {
            http,
            addresses,
            token,
        })
    }

    /// A service's outbox.
    pub async fn outbox(&self, service: Service) -> Result<OutboxView, OpsError> {
        self.get(service, "outbox", &[]).await
    }

    async fn get<T: DeserializeOwned>(
        &self,
        service: Service,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<T, OpsError> {
        let mut url = self.url(service, path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.send(service, self.http.get(url)).await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        service: Service,
        path: &str,
        body: &Value,
    ) -> Result<T, OpsError> {
        let request = self.http.post(self.url(service, path)).json(body);
        self.send(service, request).await
    }

    fn url(&self, service: Service, path: &str) -> Url {
        let mut url = match service {
            Service::Order => self.addresses.order.clone(),
            Service::Payment => self.addresses.payment.clone(),
        };
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/ops/v1/{}/{path}", service.as_str()));
        url.set_query(None);
        url
    }

    async fn send<T: DeserializeOwned>(
        &self,
        service: Service,
        request: RequestBuilder,
    ) -> Result<T, OpsError> {
        let away = |cause: reqwest::Error| OpsError::Away {
            service,
            why: in_words(&cause).into(),
            cause: Some(cause.without_url()),
        };
        let mut request = request.bearer_auth(self.token.expose_secret());
        if let Some(parent) = chassis::trace::current().and_then(|trace| trace.recorded()) {
            request = request.header("traceparent", parent);
        }
        let response = request.send().await.map_err(away)?;
        let status = response.status();
        let body = response.bytes().await.map_err(away)?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|_| OpsError::Away {
                service,
                why: "its answer is not that of the operators' API: is its address right?".into(),
                cause: None,
            });
        }
        let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
        Err(failure(service, status, &problem))
    }
}

fn failure(service: Service, status: StatusCode, problem: &Value) -> OpsError {
    let said = ["title", "detail"].map(|field| problem[field].as_str().unwrap_or_default());
    let said = said.join(". ");
    if status.is_server_error()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
        )
    {
        return OpsError::Away {
            service,
            why: format!("{status}: {said}").trim_end_matches(": . ").into(),
            cause: None,
        };
    }
    // The address and the token are given by people, who may mend them: nothing about the question is wrong.
    let why = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => format!(
            "it does not take the operators' token ({}): it must be the one that the service was started with",
            status.as_u16()
        ),
        StatusCode::NOT_FOUND => "it has no operators' API at that address".into(),
        _ => {
            let why = format!("{}: {said}", status.as_u16());
            return OpsError::Refused { service, why };
        }
    };
    OpsError::Away {
        service,
        why,
        cause: None,
    }
}

/// What the client met, without addresses, which people know and metrics must not.
fn in_words(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the answer broke off"
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_may_pass_is_told_from_what_asking_again_does_not_help() {
        let of = |status: u16, problem: Value| {
            failure(
                Service::Order,
                StatusCode::from_u16(status).unwrap(),
                &problem,
            )
        };
        for status in [401, 403, 404, 408, 429, 500, 503] {
            let error = of(status, json!({"title": "No", "code": "unavailable"}));
            assert!(matches!(error, OpsError::Away { .. }), "{status}");
        }
        for status in [400, 409, 422] {
            let error = of(status, json!({"title": "No", "code": "limit_out_of_range"}));
            assert!(matches!(error, OpsError::Refused { .. }), "{status}");
        }
        let said = of(404, Value::Null).to_string();
        assert!(said.contains("no operators' API"), "{said}");
    }
}
