//! Relays that somebody else writes or scales too, and what outlives the operator that knew it.

use std::sync::Arc;

use kube::runtime::{controller::Error as RunError, reflector::ObjectRef};
use serde_json::{Value, json};

use super::{
    super::{SOON, look, note},
    *,
};
use crate::resource::OutboxRelay;

const OTHER: &str = "/apis/gozon.io/v1alpha1/namespaces/shop/outboxrelays/another";

/// An older one, named `another`, that scales the same Deployment.
fn with_another(api: &ApiServer) {
    let spec = api.get(RELAYS)["spec"].clone();
    api.put(OTHER, "OutboxRelay", json!({"spec": spec}));
    for (path, at) in [
        (RELAYS, "2026-01-02T00:00:00Z"),
        (OTHER, "2026-01-01T00:00:00Z"),
    ] {
        api.change(path, |object| {
            object["metadata"]["creationTimestamp"] = at.into();
        });
    }
}

fn ready(api: &ApiServer, path: &str) -> (String, String) {
    let status = api.get(path)["status"].clone();
    let conditions = status["conditions"].as_array().unwrap().clone();
    let ready = conditions
        .into_iter()
        .find(|condition| condition["type"] == "Ready");
    let ready = ready.unwrap();
    let text = |field: &str| ready[field].as_str().unwrap().to_owned();
    (text("reason"), text("message"))
}

#[tokio::test]
async fn a_scale_that_somebody_else_wrote_meanwhile_is_looked_at_again_and_is_no_failure() {
    let (api, services) = (with_relays(20), Services::default());
    let relays = Arc::new(relays(&api, &services).await);
    let resource: Arc<OutboxRelay> = Arc::new(serde_json::from_value(api.get(RELAYS)).unwrap());
    api.write_between(SCALE);
    let again = look(resource.clone(), relays.clone()).await.unwrap();
    assert_eq!(again, kube::runtime::controller::Action::requeue(SOON));
    assert_eq!(api.get(SCALE)["spec"]["replicas"], 20);
    assert_eq!(api.events(), Vec::<String>::new());
    look(resource, relays).await.unwrap();
    assert_eq!(api.get(SCALE)["spec"]["replicas"], 8);
    assert_eq!(api.events(), ["ScaledDown"]);
}

#[tokio::test]
async fn of_two_that_scale_one_deployment_the_later_does_nothing_and_names_the_other() {
    let (api, services) = (with_relays(20), Services::default());
    with_another(&api);
    let relays = relays(&api, &services).await;
    relays.step("orders").await.unwrap();
    let (reason, message) = ready(&api, RELAYS);
    assert_eq!(reason, "TargetTaken");
    assert!(message.contains("another"), "{message}");
    assert_eq!(api.calls("PATCH", SCALE), 0);
    relays.step("another").await.unwrap();
    assert_eq!(api.get(SCALE)["spec"]["replicas"], 8);
    assert_eq!(api.events(), ["TargetTaken", "ScaledDown"]);
    // Of two of the same second the name decides.
    for path in [RELAYS, OTHER] {
        api.change(path, |object| {
            object["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z".into();
        });
    }
    relays.step("another").await.unwrap();
    assert_ne!(ready(&api, OTHER).0, "TargetTaken");
    api.remove(OTHER);
    relays.step("orders").await.unwrap();
    assert_ne!(ready(&api, RELAYS).0, "TargetTaken");
}

#[tokio::test]
async fn what_was_removed_between_two_looks_is_forgotten() {
    let (api, services) = (with_relays(2), Services::default());
    let relays = relays(&api, &services).await;
    relays.step("orders").await.unwrap();
    relays.step("orders").await.unwrap();
    assert_eq!(api.calls("PATCH", SCALE), 1);
    let gone = ObjectRef::<OutboxRelay>::new("orders")
        .within("shop")
        .erase();
    let error: RunError<Error, std::io::Error> = RunError::ObjectNotFound(Box::new(gone));
    note(&relays, &error);
    // It is as if it had never been seen: the number is claimed again.
    relays.step("orders").await.unwrap();
    assert_eq!(api.calls("PATCH", SCALE), 2);
}

#[tokio::test]
async fn what_was_learned_of_relays_outlives_the_operator_that_learned_it() {
    let (api, services) = (with_relays(2), Services::default());
    let learned = json!({
        "relayEventsPerThousandSeconds": 200_000, "noGainUntil": "2999-01-01T00:00:00Z", "noGains": 2,
    });
    api.change(RELAYS, |object| {
        object["status"]["learned"] = learned.clone();
    });
    relays(&api, &services).await.step("orders").await.unwrap();
    assert_eq!(api.get(RELAYS)["status"]["learned"], learned);
    api.change(RELAYS, |object| {
        object["status"]["learned"] = Value::Null;
    });
    relays(&api, &services).await.step("orders").await.unwrap();
    assert_eq!(api.get(RELAYS)["status"]["learned"], Value::Null);
}

#[tokio::test]
async fn what_was_told_while_it_scaled_is_not_told_when_it_does_not() {
    let told = |api: &ApiServer| {
        let conditions = ["BrokerUnavailable", "SourceUnavailable", "Draining"];
        let conditions = conditions.map(|kind| condition(api, RELAYS, kind));
        let mut status = api.get(RELAYS)["status"].clone();
        // It was decided, and when stands beside it.
        for lasting in ["conditions", "observedGeneration", "lastDecision"] {
            status.as_object_mut().unwrap().remove(lasting);
        }
        (conditions, status)
    };
    let taken: fn(&ApiServer) = |api| with_another(api);
    let missing: fn(&ApiServer) = |api| api.remove(SCALE);
    for (cannot, why) in [(taken, "TargetTaken"), (missing, "TargetMissing")] {
        let (api, services) = (with_relays(2), Services::default());
        let learned = json!({"relayEventsPerThousandSeconds": 200_000, "noGains": 0});
        api.change(RELAYS, |object| {
            object["status"]["learned"] = learned.clone();
        });
        services.outbox(9_000, 60.0, "away");
        let relays = relays(&api, &services).await;
        relays.step("orders").await.unwrap();
        assert_eq!(told(&api).0, ["True", "False", "False"]);
        assert_eq!(told(&api).1["backlog"], 9_000);
        assert_eq!(told(&api).1["learned"], learned);
        cannot(&api);
        relays.step("orders").await.unwrap();
        assert_eq!(ready(&api, RELAYS).0, why);
        assert_eq!(
            told(&api),
            (["Unknown"; 3].map(str::to_owned), json!({})),
            "{why}"
        );
    }
}
