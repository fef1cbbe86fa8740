//! The OpenAPI document of the service.

use chassis::Profile;
use serde_json::Value;

/// All values under `$ref` anywhere in the document.
fn references(json: &Value, found: &mut Vec<String>) {
    match json {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str() {
                    Some(target) if name == "$ref" => found.push(target.to_owned()),
                    _ => references(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn everything_the_document_refers_to_is_in_it() {
    let document = serde_json::to_value(order::openapi(Profile::Demo)).unwrap();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(
        found
            .iter()
            .any(|target| target == "#/components/schemas/Problem")
    );
    for target in found {
        let pointer = target.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{target}");
    }
}

#[test]
fn only_a_demo_documents_the_originals_paths() {
    let paths = |profile| {
        let paths = order::openapi(profile).paths.paths;
        [
            "/api/v1/orders",
            "/api/v1/orders/{id}",
            "/api/v1/orders/{id}/cancel",
            "/api/v1/events",
            "/api/orders/orders",
            "/ws/{user_id}",
        ]
        .map(|path| paths.contains_key(path))
    };
    assert_eq!(
        paths(Profile::Production),
        [true, true, true, true, false, false]
    );
    assert_eq!(paths(Profile::Demo), [true; 6]);
}
