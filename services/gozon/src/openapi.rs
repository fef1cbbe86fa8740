//! The document of the whole public API, merged from the routers of the roles (`OpenAPI` 3.1).

use chassis::{
    Profile,
    identity::SESSION_COOKIE,
    openapi::{BEARER_SCHEME, SESSION_SCHEME},
};
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder,
    security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    tag::TagBuilder,
};

use crate::{
    ops,
    web::{health, session},
};

/// The groups of operations, in the order in which a newcomer meets them.
const TAGS: [(&str, &str); 5] = [
    ("session", "Who one is"),
    ("account", "Money: one account per user, and its ledger"),
    ("orders", "Orders, and the news about them"),
    (
        "operators",
        "For operators: outboxes, dead letters, and where an order is",
    ),
    ("original", "The original system's contract, in a demo only"),
];

/// All paths of a profile, whichever role serves them.
pub(crate) fn document(profile: Profile) -> OpenApi {
    let mut document = base();
    document.merge(session::demo_router().into_openapi());
    document.merge(health::router().into_openapi());
    document.merge(order::openapi(profile));
    document.merge(payment::openapi(profile));
    for service in ops::Service::ALL {
        document.merge(ops::openapi(service));
    }
    document
}

fn base() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Gozon")
        .description(Some(
            "The order-and-payment backbone of an internet shop. Errors are problem details (RFC 9457) with a stable \
             `code`; a POST that changes something takes an `Idempotency-Key`.",
        ))
        .version(env!("CARGO_PKG_VERSION"))
        .license(Some(
            LicenseBuilder::new()
                .name("Apache-2.0")
                .identifier(Some("Apache-2.0"))
                .build(),
        ))
        .build();
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(SESSION_COOKIE)));
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .build();
    let components = ComponentsBuilder::new()
        .security_scheme(SESSION_SCHEME, cookie)
        .security_scheme(BEARER_SCHEME, SecurityScheme::Http(bearer))
        .build();
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components))
        .tags(Some(TAGS.map(|(name, description)| {
            TagBuilder::new()
                .name(name)
                .description(Some(description))
                .build()
        })))
        .build()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    fn json(profile: Profile) -> Value {
        serde_json::to_value(document(profile)).unwrap()
    }

    /// Every operation with its address, as `GET /api/v1/orders`.
    fn operations(document: &Value) -> Vec<(String, &Value)> {
        let paths = document["paths"].as_object().unwrap();
        let operations = paths.iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap();
            methods.iter().map(move |(method, operation)| {
                (format!("{} {path}", method.to_uppercase()), operation)
            })
        });
        operations.collect()
    }

    #[test]
    fn the_document_has_every_path_of_the_public_api() {
        let document = json(Profile::Production);
        assert_eq!(document["openapi"], "3.1.0");
        let found = operations(&document).into_iter();
        let found: BTreeSet<String> = found.map(|(address, _)| address).collect();
        for address in [
            "POST /api/v1/session",
            "GET /api/v1/session",
            "DELETE /api/v1/session",
            "POST /api/v1/account",
            "GET /api/v1/account",
            "POST /api/v1/account/top-ups",
            "GET /api/v1/account/entries",
            "POST /api/v1/orders",
            "GET /api/v1/orders",
            "GET /api/v1/orders/{id}",
            "GET /api/v1/events",
            "GET /ops/v1/web/health",
            "GET /ops/v1/order/outbox",
            "GET /ops/v1/payment/dead-letters/{id}",
            "POST /ops/v1/payment/dead-letters/redrive",
            "GET /ops/v1/order/orders/{order}/trace",
            "GET /ops/v1/order/operations",
        ] {
            assert!(found.contains(address), "{address} is not in {found:?}");
        }
    }

    #[test]
    fn the_originals_paths_are_documented_in_a_demo_only() {
        let has = |profile| {
            let document = json(profile);
            let paths = document["paths"].as_object().unwrap();
            paths.contains_key("/api/payments/accounts") && paths.contains_key("/api/orders/orders")
        };
        assert!(has(Profile::Demo));
        assert!(!has(Profile::Production));
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_and_says_what_it_does() {
        let document = json(Profile::Demo);
        let mut names = BTreeSet::new();
        for (address, operation) in operations(&document) {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name), "{address}: {name} is taken");
            assert!(operation["summary"].is_string(), "{address}");
            let tag = operation["tags"][0].as_str().unwrap();
            assert!(
                TAGS.iter().any(|(name, _)| *name == tag),
                "{address}: {tag}"
            );
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = json(Profile::Demo);
        let mut references = Vec::new();
        collect_references(&document, &mut references);
        assert!(!references.is_empty());
        for reference in references {
            let pointer = reference.trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    fn collect_references<'d>(value: &'d Value, found: &mut Vec<&'d str>) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    match field {
                        Value::String(text) if name == "$ref" => found.push(text),
                        _ => collect_references(field, found),
                    }
                }
            }
            Value::Array(items) => {
                for item in items {
                    collect_references(item, found);
                }
            }
            _ => {}
        }
    }

    #[test]
    fn every_security_requirement_names_a_scheme() {
        let document = json(Profile::Demo);
        let schemes = document["components"]["securitySchemes"]
            .as_object()
            .unwrap();
        for (address, operation) in operations(&document) {
            let Some(requirements) = operation["security"].as_array() else {
                continue;
            };
            for requirement in requirements {
                for name in requirement.as_object().unwrap().keys() {
                    assert!(schemes.contains_key(name), "{address}: {name}");
                }
            }
        }
    }
}
