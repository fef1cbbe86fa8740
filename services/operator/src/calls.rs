//! Counts the calls of the API server, named as a Role names what it allows: so it can be seen that the Role allows what is
//! called, and nothing else.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http::{Method, Request, Response, Uri};
use kube::client::Body;
use tower::{Layer, Service};

use crate::metrics::{CallLabels, Metrics};

/// Puts the counting around a client.
#[derive(Debug, Clone)]
pub(crate) struct CountCalls(pub(crate) Metrics);

impl<S> Layer<S> for CountCalls {
    type Service = Counting<S>;

    fn layer(&self, inner: S) -> Counting<S> {
        Counting {
            inner,
            metrics: self.0.clone(),
        }
    }
}

/// A client whose calls are counted.
#[derive(Debug, Clone)]
pub(crate) struct Counting<S> {
    inner: S,
    metrics: Metrics,
}

impl<S, B> Service<Request<Body>> for Counting<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (verb, group, resource) = named(request.method(), request.uri());
        let metrics = self.metrics.clone();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await;
            let status = answer
                .as_ref()
                .map_or(0, |response| response.status().as_u16());
            let labels = CallLabels {
                verb,
                group,
                resource,
                status,
            };
            metrics.calls.get_or_create(&labels).inc();
            answer
        })
    }
}

/// The verb, the group and the resource of a call, its subresource behind it: `get`, `apps`, `deployments/scale`.
fn named(method: &Method, uri: &Uri) -> (&'static str, String, String) {
    let mut words = uri.path().split('/').filter(|word| !word.is_empty());
    // `/api/v1/…` has no group, `/apis/group/version/…` has one.
    let group = match words.next() {
        Some("apis") => words.next().unwrap_or_default(),
        _ => "",
    };
    let _version = words.next();
    let mut words = words.peekable();
    if words.peek() == Some(&"namespaces") {
        words.next();
        words.next();
    }
    let resource = words.next().unwrap_or_default();
    let name = words.next();
    let resource = match words.next() {
        Some(subresource) => format!("{resource}/{subresource}"),
        None => resource.to_owned(),
    };
    let is_watch = uri
        .query()
        .is_some_and(|query| query.contains("watch=true"));
    let verb = match (method.as_str(), name) {
        ("GET", _) if is_watch => "watch",
        ("GET", Some(_)) => "get",
        ("GET", None) => "list",
        ("POST", _) => "create",
        ("PUT", _) => "update",
        ("PATCH", _) => "patch",
        ("DELETE", Some(_)) => "delete",
        ("DELETE", None) => "deletecollection",
        _ => "other",
    };
    (verb, group.to_owned(), resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_named_as_a_role_names_them() {
        let cases = [
            (
                "GET",
                "/apis/gozon.io/v1alpha1/namespaces/shop/outboxrelays?limit=500",
                ("list", "gozon.io", "outboxrelays"),
            ),
            (
                "GET",
                "/apis/gozon.io/v1alpha1/namespaces/shop/outboxrelays?&watch=true&timeoutSeconds=290",
                ("watch", "gozon.io", "outboxrelays"),
            ),
            (
                "PATCH",
                "/apis/gozon.io/v1alpha1/namespaces/shop/redrives/poison/status?fieldManager=it",
                ("patch", "gozon.io", "redrives/status"),
            ),
            (
                "GET",
                "/apis/apps/v1/namespaces/shop/deployments/relay/scale",
                ("get", "apps", "deployments/scale"),
            ),
            (
                "POST",
                "/apis/events.k8s.io/v1/namespaces/shop/events",
                ("create", "events.k8s.io", "events"),
            ),
            (
                "PUT",
                "/apis/coordination.k8s.io/v1/namespaces/shop/leases/it",
                ("update", "coordination.k8s.io", "leases"),
            ),
            (
                "GET",
                "/api/v1/namespaces/shop/pods/it",
                ("get", "", "pods"),
            ),
            (
                "DELETE",
                "/apis/gozon.io/v1alpha1/namespaces/shop/redrives/poison",
                ("delete", "gozon.io", "redrives"),
            ),
        ];
        for (method, uri, (verb, group, resource)) in cases {
            let found = named(&method.parse().unwrap(), &uri.parse().unwrap());
            assert_eq!(
                found,
                (verb, group.to_owned(), resource.to_owned()),
                "{uri}"
            );
        }
    }
}
