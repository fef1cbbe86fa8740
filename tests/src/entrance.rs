//! The shop's front door for HTTP clients: sends each path to the process that serves it, as an ingress would.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use reqwest::{
    Client, Method,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde_json::Value;
use url::Url;

use crate::http_client;

/// An HTTP client and the addresses of the services. Cheap to clone; its connections belong to the test that made it.
#[derive(Debug, Clone)]
pub struct Entrance {
    http: Client,
    addresses: Arc<Addresses>,
    turn: Arc<AtomicUsize>,
}

/// Where the services listen; one address each when one process runs everything.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// The replicas of the order service, taken in turn.
    pub order: Vec<Url>,
    /// The payment service.
    pub payment: Url,
    /// The page, the sign-in and the documentation.
    pub web: Url,
}

/// An HTTP request.
#[derive(Debug, Clone)]
pub struct Call {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// An HTTP response.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
}

impl Entrance {
    /// A new client for these addresses.
    #[must_use]
    pub fn new(addresses: Addresses) -> Self {
        Self {
            http: http_client(),
            addresses: Arc::new(addresses),
            turn: Arc::default(),
        }
    }

    /// Sends a request. An error means that no answer came, and so that nothing is known.
    pub async fn try_send(&self, call: Call) -> reqwest::Result<Answer> {
        let url = self.url(&call.path);
        let response = self
            .http
            .request(call.method, url)
            .headers(call.headers)
            .body(call.body)
            .send()
            .await?;
        Ok(Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await?,
        })
    }

    /// Sends a request to a shop that is expected to answer.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn send(&self, call: Call) -> Answer {
        let what = format!("{} {}", call.method, call.path);
        self.try_send(call)
            .await
            .unwrap_or_else(|error| panic!("{what}: no answer: {error:?}"))
    }

    /// The full address of a path; another replica each time where there are several.
    #[must_use]
    pub fn url(&self, path: &str) -> Url {
        let Addresses {
            order,
            payment,
            web,
        } = &*self.addresses;
        let serves = |prefixes: &[&str]| prefixes.iter().any(|prefix| path.starts_with(prefix));
        let base = if serves(&["/api/v1/account", "/api/payments/", "/ops/v1/payment/"]) {
            payment
        } else if serves(&[
            "/api/v1/orders",
            "/api/v1/events",
            "/api/orders/",
            "/ws/",
            "/ops/v1/order/",
        ]) {
            &order[self.turn.fetch_add(1, Ordering::Relaxed) % order.len()]
        } else {
            web
        };
        base.join(path).expect("the path of a call is valid")
    }
}

impl Call {
    /// A request without headers and body.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: HeaderMap::new(),
            body: Vec::new(),
        }
    }

    /// A GET.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// A POST.
    pub fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    /// Adds a header, whatever its bytes.
    ///
    /// # Panics
    /// When HTTP itself cannot carry it.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        let value = HeaderValue::from_bytes(value.as_ref()).expect("HTTP can carry the value");
        self.headers.append(HeaderName::from_static(name), value);
        self
    }

    /// Adds a session.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Adds a body of any type.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", content_type)
    }

    /// Adds a JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {} {}", self.status, self.text))
    }

    /// A header's value, empty when it is missing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// Checks the status and gives the body as JSON.
    ///
    /// # Panics
    /// When it has another status.
    #[must_use]
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        if self.text.is_empty() {
            return Value::Null;
        }
        self.json()
    }

    /// Checks that it is a problem (RFC 9457) with this status and code.
    ///
    /// # Panics
    /// When it is anything else.
    #[track_caller]
    pub fn expect_problem(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status, self.header("content-type")),
            (status, "application/problem+json"),
            "{}",
            self.text
        );
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert!(
            problem["title"]
                .as_str()
                .is_some_and(|title| !title.is_empty()),
            "{problem}"
        );
        let trace_id = problem["trace_id"].as_str().unwrap_or_default();
        assert!(
            trace_id.len() == 32 && trace_id.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{problem}"
        );
    }
}
