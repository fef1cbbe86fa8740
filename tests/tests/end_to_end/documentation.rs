//! The API's own documentation: complete, and served by us alone.

use std::collections::BTreeSet;

use tests::{Entrance, Shop, entrance::Call};

/// Every path of the API and its methods; what is not here is not promised.
const OPERATIONS: &[(&str, &[&str])] = &[
    ("/api/v1/session", &["delete", "get", "post"]),
    ("/api/v1/account", &["get", "post"]),
    ("/api/v1/account/top-ups", &["post"]),
    ("/api/v1/account/entries", &["get"]),
    ("/api/v1/orders", &["get", "post"]),
    ("/api/v1/orders/{id}", &["get"]),
    ("/api/v1/events", &["get"]),
    ("/ops/v1/order/outbox", &["get"]),
    ("/ops/v1/order/health", &["get"]),
    ("/ops/v1/order/find", &["get"]),
    ("/ops/v1/order/stuck", &["get"]),
    ("/ops/v1/order/dead-letters/about", &["get"]),
    ("/ops/v1/order/dead-letters", &["get"]),
    ("/ops/v1/order/dead-letters/{id}", &["get"]),
    ("/ops/v1/order/dead-letters/redrive", &["post"]),
    ("/ops/v1/order/dead-letters/discard", &["post"]),
    ("/ops/v1/order/orders/{order}/trace", &["get"]),
    ("/ops/v1/order/operations", &["get"]),
    ("/ops/v1/payment/outbox", &["get"]),
    ("/ops/v1/payment/health", &["get"]),
    ("/ops/v1/payment/find", &["get"]),
    ("/ops/v1/payment/ledger", &["get"]),
    ("/ops/v1/payment/dead-letters/about", &["get"]),
    ("/ops/v1/payment/dead-letters", &["get"]),
    ("/ops/v1/payment/dead-letters/{id}", &["get"]),
    ("/ops/v1/payment/dead-letters/redrive", &["post"]),
    ("/ops/v1/payment/dead-letters/discard", &["post"]),
    ("/ops/v1/payment/orders/{order}/trace", &["get"]),
    ("/ops/v1/payment/operations", &["get"]),
    ("/api/payments/accounts", &["post"]),
    ("/api/payments/accounts/topup", &["post"]),
    ("/api/payments/accounts/{user_id}", &["get"]),
    ("/api/orders/orders", &["get", "post"]),
];

#[tokio::test]
async fn the_openapi_document_lists_every_path() {
    let shop = Shop::shared().await;
    let answer = shop.entrance().send(Call::get("/api/openapi.json")).await;
    let document = answer.expect(200);
    assert!(
        answer
            .header("content-type")
            .starts_with("application/json")
    );
    let version = document["openapi"].as_str().unwrap();
    assert!(version.starts_with("3.1"), "{version}");
    for &(path, methods) in OPERATIONS {
        let item = document["paths"][path]
            .as_object()
            .unwrap_or_else(|| panic!("{path} is not documented"));
        let documented: BTreeSet<_> = item
            .keys()
            .map(String::as_str)
            .filter(|key| matches!(*key, "get" | "post" | "put" | "patch" | "delete"))
            .collect();
        assert_eq!(documented, methods.iter().copied().collect(), "{path}");
        for method in methods {
            let operation = &item[*method];
            let summary = operation["summary"].as_str().unwrap_or_default();
            assert!(!summary.is_empty(), "{method} {path} has no summary");
            assert!(
                operation["responses"]
                    .as_object()
                    .is_some_and(|responses| !responses.is_empty()),
                "{method} {path} has no responses"
            );
        }
    }
}

#[tokio::test]
async fn every_reference_in_the_openapi_document_leads_somewhere() {
    let shop = Shop::shared().await;
    let document = shop
        .entrance()
        .send(Call::get("/api/openapi.json"))
        .await
        .expect(200);
    let text = document.to_string();
    let references: BTreeSet<_> = text
        .split(r##""$ref":"#"##)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(!references.is_empty());
    for reference in references {
        assert!(document.pointer(reference).is_some(), "#{reference}");
    }
}

#[tokio::test]
async fn the_documentation_page_loads_from_this_host_alone() {
    let shop = Shop::shared().await;
    let entrance = shop.entrance();
    let (base, page) = documentation_page(&entrance).await;
    let assets: Vec<_> = ["src=\"", "href=\""]
        .iter()
        .flat_map(|attribute| page.split(attribute).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(assets.len() >= 3, "{page}");
    for asset in assets {
        let url = base.join(asset).unwrap();
        assert_eq!(url.origin(), base.origin(), "{asset}");
        let answer = entrance.send(Call::get(url.path())).await;
        assert_eq!(answer.status, 200, "{asset}");
        assert!(!answer.text.is_empty(), "{asset}");
    }
}

/// Follows redirects by hand, so that the page's own address is known.
async fn documentation_page(entrance: &Entrance) -> (url::Url, String) {
    let mut path = "/api/docs".to_owned();
    for _ in 0..3 {
        let answer = entrance.send(Call::get(&path)).await;
        if answer.status == 200 {
            assert!(answer.header("content-type").starts_with("text/html"));
            return (entrance.url(&path), answer.text);
        }
        assert!((300..400).contains(&answer.status), "{}", answer.text);
        let url = entrance.url(&path).join(answer.header("location")).unwrap();
        url.path().clone_into(&mut path);
    }
    panic!("/api/docs redirects in circles");
}
