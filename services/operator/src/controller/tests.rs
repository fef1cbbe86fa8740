//! Single steps of the controllers against an API server and services that are played, and what is left where a step is cut off.

mod api;
mod relays;
mod service;

use std::time::Duration;

use serde_json::{Value, json};

use self::{api::ApiServer, service::Services};
use super::{Common, Error, Reconcile, outbox_relay::Relays, redrive::Redrives};
use crate::{metrics::Metrics, ops::Ops};

const RELAYS: &str = "/apis/gozon.io/v1alpha1/namespaces/shop/outboxrelays/orders";
const SCALE: &str = "/apis/apps/v1/namespaces/shop/deployments/relays/scale";
const REDRIVE: &str = "/apis/gozon.io/v1alpha1/namespaces/shop/redrives/poison";

async fn common(services: &Services) -> Common {
    // It fails only if there is a provider already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut registry = prometheus_client::registry::Registry::default();
    Common {
        ops: Ops::new(services.addresses().await, "token".to_owned().into()).unwrap(),
        metrics: Metrics::register(&mut registry),
        trace: chassis::trace::TraceOptions::unrecorded("gozon-operator"),
        identity: "operator-a".into(),
    }
}

async fn relays(api: &ApiServer, services: &Services) -> Relays {
    Relays::new(api.client(), common(services).await)
}

async fn redrives(api: &ApiServer, services: &Services) -> Redrives {
    Redrives::new(api.client(), common(services).await)
}

fn with_relays(replicas: i32) -> ApiServer {
    let api = ApiServer::default();
    let spec = json!({"service": "order", "scaleTargetRef": {"name": "relays"}, "maxReplicas": 8,
        "minReplicas": 1, "targetAgeSeconds": 5, "backlogPerReplica": 20000, "scaleDownStabilisationSeconds": 30});
    api.put(RELAYS, "OutboxRelay", json!({"spec": spec}));
    api.put(SCALE, "Scale", json!({"spec": {"replicas": replicas}}));
    api
}

fn with_redrive() -> ApiServer {
    let api = ApiServer::default();
    let spec = json!({"service": "payment", "limit": 100, "ratePerSecond": 10, "ttlSecondsAfterFinished": 60});
    api.put(REDRIVE, "Redrive", json!({"spec": spec}));
    api
}

/// Whether a condition holds, in the status that was written.
fn condition(api: &ApiServer, path: &str, kind: &str) -> String {
    let object = api.get(path);
    let conditions = object["status"]["conditions"].as_array().unwrap();
    let found = conditions
        .iter()
        .find(|condition| condition["type"] == kind);
    found.unwrap()["status"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_number_of_relays_is_claimed_once_and_then_left_alone() {
    let (api, services) = (with_relays(2), Services::default());
    let relays = relays(&api, &services).await;
    for _ in 0..3 {
        relays.step("orders").await.unwrap();
    }
    assert_eq!(api.calls("PATCH", SCALE), 1);
    assert_eq!(api.get(SCALE)["spec"]["replicas"], 2);
    assert_eq!(condition(&api, RELAYS, "Ready"), "True");
    assert_eq!(api.get(RELAYS)["status"]["liveRelays"], 2);
    assert_eq!(api.events(), Vec::<String>::new());
}

#[tokio::test]
async fn a_number_outside_the_limits_is_mended_and_told_once() {
    let (api, services) = (with_relays(20), Services::default());
    let relays = relays(&api, &services).await;
    relays.step("orders").await.unwrap();
    assert_eq!(api.get(SCALE)["spec"]["replicas"], 8);
    assert_eq!(api.get(RELAYS)["status"]["lastDecision"]["to"], 8);
    relays.step("orders").await.unwrap();
    assert_eq!(api.events(), ["ScaledDown"]);
}

#[tokio::test]
async fn a_service_that_is_away_is_told_and_nothing_is_scaled() {
    let (api, services) = (with_relays(2), Services::default());
    let relays = relays(&api, &services).await;
    relays.step("orders").await.unwrap();
    services.fail_with(Some(503));
    for _ in 0..2 {
        relays.step("orders").await.unwrap();
    }
    assert_eq!(condition(&api, RELAYS, "SourceUnavailable"), "True");
    assert_eq!(api.get(RELAYS)["status"]["backlog"], Value::Null);
    services.fail_with(None);
    relays.step("orders").await.unwrap();
    assert_eq!(condition(&api, RELAYS, "SourceUnavailable"), "False");
    assert_eq!(api.events(), ["SourceUnavailable", "SourceAvailable"]);
    assert_eq!(api.get(SCALE)["spec"]["replicas"], 2);
}

#[tokio::test]
async fn a_broker_that_takes_nothing_is_told_and_no_relay_is_added() {
    let (api, services) = (with_relays(2), Services::default());
    services.outbox(9_000, 60.0, "away");
    let relays = relays(&api, &services).await;
    relays.step("orders").await.unwrap();
    assert_eq!(condition(&api, RELAYS, "BrokerUnavailable"), "True");
    assert_eq!(api.get(SCALE)["spec"]["replicas"], 2);
    assert_eq!(api.events(), ["BrokerUnavailable"]);
}

#[tokio::test]
async fn without_its_deployment_it_says_so() {
    let (api, services) = (with_relays(2), Services::default());
    api.remove(SCALE);
    relays(&api, &services).await.step("orders").await.unwrap();
    assert_eq!(condition(&api, RELAYS, "Ready"), "False");
    assert_eq!(api.events(), ["TargetMissing"]);
}

#[tokio::test]
async fn a_redrive_is_asked_for_once_however_often_its_operator_dies() {
    let (api, services) = (with_redrive(), Services::default());
    services.letters(&[3, 5, 8]);
    // Each step by an operator that knows nothing of the one before.
    let step = async || redrives(&api, &services).await.step("poison").await;
    step().await.unwrap();
    assert_eq!(api.get(REDRIVE)["status"]["phase"], "Chosen");
    assert_eq!(services.asked(), Vec::<Value>::new());
    // The answer is lost, and so is that of the next.
    services.lose_answers(2);
    for _ in 0..2 {
        assert!(step().await.is_err());
    }
    for _ in 0..2 {
        step().await.unwrap();
    }
    assert_eq!(api.get(REDRIVE)["status"]["phase"], "Running");
    let asked = services.asked();
    assert!(asked.iter().all(|body| *body == asked[0]), "{asked:?}");
    assert_eq!(asked[0]["request_id"], api.get(REDRIVE)["metadata"]["uid"]);
    assert_eq!(asked[0]["filter"]["ids"], json!([3, 5, 8]));
    services.letters(&[]);
    step().await.unwrap();
    assert_eq!(api.get(REDRIVE)["status"]["phase"], "Complete");
    assert_eq!(api.events(), ["Chosen", "Running", "Complete"]);
}

#[tokio::test]
async fn of_two_operators_that_believe_to_act_one_is_stopped_before_it_asks() {
    let (api, services) = (with_redrive(), Services::default());
    services.letters(&[3]);
    let (one, other) = (
        redrives(&api, &services).await,
        redrives(&api, &services).await,
    );
    // The other has read the resource when the one writes.
    api.write_between(REDRIVE);
    let error = other.step("poison").await.unwrap_err();
    assert!(
        matches!(&error, Error::Api(_)) && error.is_conflict(),
        "{error}"
    );
    assert_eq!(services.asked(), Vec::<Value>::new());
    one.step("poison").await.unwrap();
}

#[tokio::test]
async fn what_the_service_refuses_ends_it_and_its_time_to_live_removes_it() {
    let (api, services) = (with_redrive(), Services::default());
    services.fail_with(Some(422));
    let redrives = redrives(&api, &services).await;
    redrives.step("poison").await.unwrap();
    assert_eq!(api.get(REDRIVE)["status"]["phase"], "Failed");
    let left = redrives.step("poison").await.unwrap();
    assert!(
        left > Duration::from_secs(50) && left <= Duration::from_mins(1),
        "{left:?}"
    );
    api.change(REDRIVE, |object| {
        object["status"]["finishedAt"] = "2020-01-01T00:00:00Z".into();
    });
    redrives.step("poison").await.unwrap();
    assert_eq!(api.calls("DELETE", REDRIVE), 1);
    assert!(matches!(redrives.step("poison").await, Err(Error::Gone)));
}

#[tokio::test]
async fn what_was_asked_for_is_taken_back_before_a_refusal_ends_it() {
    let (api, services) = (with_redrive(), Services::default());
    services.letters(&[3, 5]);
    let redrives = redrives(&api, &services).await;
    for _ in 0..3 {
        redrives.step("poison").await.unwrap();
    }
    assert_eq!(api.get(REDRIVE)["status"]["phase"], "Running");
    services.fail_with(Some(422));
    redrives.step("poison").await.unwrap();
    assert_eq!(api.get(REDRIVE)["status"]["phase"], "Stopping");
    redrives.step("poison").await.unwrap();
    assert_eq!(services.taken_back(), 1);
    assert_eq!(api.get(REDRIVE)["status"]["phase"], "Failed");
}

#[tokio::test]
async fn an_address_at_which_something_else_lives_is_a_service_that_is_away() {
    let (api, services) = (with_redrive(), Services::default());
    services.letters(&[3]);
    let redrives = redrives(&api, &services).await;
    let away = async || {
        redrives.step("poison").await.unwrap();
        condition(&api, REDRIVE, "SourceUnavailable")
    };
    services.speak_otherwise(true);
    assert_eq!(away().await, "True");
    services.speak_otherwise(false);
    services.fail_with(Some(404));
    assert_eq!(away().await, "True");
    services.fail_with(None);
    assert_eq!(away().await, "False");
    assert_eq!(api.get(REDRIVE)["status"]["phase"], "Chosen");
}
