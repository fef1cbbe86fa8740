//! What the API server will refuse, in which words, and what it will show: the definitions' rules evaluated without one.

use kube::{
    CustomResourceExt,
    core::cel::{validate_cel, validate_cel_update},
};
use serde_json::{Value, json};

use super::*;

fn relay(change: Value) -> OutboxRelay {
    let mut spec =
        json!({"service": "order", "scaleTargetRef": {"name": "shop-gozon-order-relay"}});
    merge(&mut spec, change);
    OutboxRelay::new("orders", serde_json::from_value(spec).unwrap())
}

fn redrive(change: Value) -> Redrive {
    let mut spec = json!({"service": "payment"});
    merge(&mut spec, change);
    Redrive::new("poison", serde_json::from_value(spec).unwrap())
}

fn merge(into: &mut Value, change: Value) {
    match (into, change) {
        (Value::Object(into), Value::Object(change)) => {
            for (key, value) in change {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, change) => *into = change,
    }
}

#[test]
fn what_is_left_out_has_the_default_that_the_documentation_states() {
    let spec = relay(json!({})).spec;
    assert_eq!((spec.min_replicas, spec.max_replicas), (1, 8));
    assert_eq!(spec.scale_target_ref.kind, "Deployment");
    validate_cel(&relay(json!({}))).unwrap();
    validate_cel(&redrive(json!({}))).unwrap();
    for definition in [OutboxRelay::crd(), Redrive::crd()] {
        let schema = serde_json::to_value(&definition.spec.versions[0].schema).unwrap();
        let fields = &schema["openAPIV3Schema"]["properties"]["spec"]["properties"];
        for (name, field) in fields.as_object().unwrap() {
            let text = field["description"].as_str().unwrap();
            match &field["default"] {
                Value::Number(default) => assert!(
                    text.contains(&format!("default {default}")),
                    "{name}: {text}"
                ),
                Value::Bool(default) => assert!(
                    text.contains(&format!("Default {default}")),
                    "{name}: {text}"
                ),
                _ => {}
            }
        }
    }
}

#[test]
fn a_relay_spec_that_makes_no_sense_is_refused_in_words() {
    let cases = [
        (
            json!({"minReplicas": 0}),
            "with no relay nothing is ever published",
        ),
        (json!({"maxReplicas": 65}), "an outbox has 64 lanes"),
        (
            json!({"minReplicas": 5, "maxReplicas": 4}),
            "minReplicas is larger than maxReplicas",
        ),
        (
            json!({"targetAgeSeconds": 0}),
            "targetAgeSeconds is not between 1 second and 3600 seconds",
        ),
        (
            json!({"targetAgeSeconds": 3601}),
            "targetAgeSeconds is not between",
        ),
        (
            json!({"backlogPerReplica": 99}),
            "backlogPerReplica is below 100",
        ),
        (
            json!({"scaleDownStabilisationSeconds": 29}),
            "scaleDownStabilisationSeconds is not between",
        ),
        (
            json!({"scaleTargetRef": {"kind": "StatefulSet"}}),
            "only Deployments are scaled",
        ),
        (
            json!({"scaleTargetRef": {"apiVersion": "v1"}}),
            "only Deployments are scaled",
        ),
        (
            json!({"scaleTargetRef": {"name": ""}}),
            "is not the name of a Deployment",
        ),
    ];
    for (change, words) in cases {
        let refusal = validate_cel(&relay(change.clone()))
            .unwrap_err()
            .to_string();
        assert!(refusal.contains(words), "{change}: {refusal}");
    }
}

#[test]
fn a_redrive_that_makes_no_sense_is_refused_in_words() {
    let cases = [
        (
            json!({"limit": 0}),
            "limit is not between 1 and 1000 letters",
        ),
        (json!({"limit": 1001}), "takes several Redrives"),
        (json!({"ratePerSecond": 0}), "ratePerSecond is not between"),
        (
            json!({"ttlSecondsAfterFinished": 59}),
            "ttlSecondsAfterFinished is not between",
        ),
        (
            json!({"filter": {"reason": "whim"}}),
            "filter.reason is none of malformed",
        ),
        (
            json!({"filter": {"minAgeSeconds": -1}}),
            "filter.minAgeSeconds is below 0",
        ),
        (json!({"filter": {"ids": [0]}}), "numbers of dead letters"),
        (
            json!({"filter": {"ids": vec![1; 1001]}}),
            "numbers of dead letters",
        ),
    ];
    for (change, words) in cases {
        let refusal = validate_cel(&redrive(change.clone()))
            .unwrap_err()
            .to_string();
        assert!(refusal.contains(words), "{change}: {refusal}");
    }
}

#[test]
fn a_redrive_never_changes_and_a_relay_never_changes_its_service() {
    let before = redrive(json!({}));
    validate_cel_update(&before, &before).unwrap();
    let refusal = validate_cel_update(&redrive(json!({"limit": 5})), &before).unwrap_err();
    assert!(
        refusal.to_string().contains("create another one"),
        "{refusal}"
    );
    let mut told = before.clone();
    told.status = Some(RedriveStatus {
        matched: Some(1),
        ..RedriveStatus::default()
    });
    validate_cel_update(&told, &before).unwrap();

    let before = relay(json!({}));
    validate_cel_update(&relay(json!({"maxReplicas": 16})), &before).unwrap();
    let refusal = validate_cel_update(&relay(json!({"service": "payment"})), &before).unwrap_err();
    assert!(
        refusal.to_string().contains("create another OutboxRelay"),
        "{refusal}"
    );
}

#[test]
fn every_field_is_explained() {
    fn check(path: &str, schema: &Value) {
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{name}");
            let text = field["description"].as_str().unwrap_or_default();
            assert!(
                text.ends_with('.') || path.ends_with(".status"),
                "{path}: {text:?}"
            );
            check(&path, field);
            check(&path, &field["items"]);
        }
    }
    for definition in [OutboxRelay::crd(), Redrive::crd()] {
        let schema = serde_json::to_value(&definition.spec.versions[0].schema).unwrap();
        let schema = &schema["openAPIV3Schema"];
        for part in ["spec", "status"] {
            check(part, &schema["properties"][part]);
        }
    }
}

#[test]
fn conditions_are_a_list_by_type_and_have_their_status_to_themselves() {
    for definition in [OutboxRelay::crd(), Redrive::crd()] {
        let version = serde_json::to_value(&definition.spec.versions[0]).unwrap();
        assert!(version["subresources"]["status"].is_object());
        let schema = &version["schema"]["openAPIV3Schema"]["properties"]["status"];
        let conditions = &schema["properties"]["conditions"];
        assert_eq!(conditions["x-kubernetes-list-type"], "map");
        assert_eq!(conditions["x-kubernetes-list-map-keys"], json!(["type"]));
        let required = conditions["items"]["required"].as_array().unwrap();
        assert!(required.contains(&json!("observedGeneration")));
    }
}
