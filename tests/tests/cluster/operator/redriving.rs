//! Dead letters are settled again as a resource says: counted first, then done once, whatever becomes of the operator meanwhile.

use serde_json::{Value, json};
use tests::poll_until;

use super::{
    SOON, condition,
    leader::{self, Pod},
    query, shop, until,
};
use crate::{audit, namespace::Namespace, visitors::Visitors};

/// The customers whose payments fail for a while.
const FIRST_USER: i64 = 6_000_000;
const CUSTOMERS: i64 = 10;

#[tokio::test]
async fn what_died_of_a_fault_is_settled_once_after_its_repair_though_the_operator_dies_meanwhile()
{
    let namespace = shop().await;
    let visitors = Visitors::come(namespace, FIRST_USER).await;
    break_payments(namespace).await;
    let letters = poll_until("payments are dead letters", SOON, async || {
        // A fault may pass, so an event is put off many times before it is given up.
        let hurry = "update messaging.deferred set attempts = 1000, next_attempt_at = now()";
        query(namespace, "payments", hurry).await;
        let letters = count_letters(namespace).await;
        (letters >= 3).then_some(letters)
    })
    .await;
    repair_payments(namespace).await;

    create(namespace, "counted", json!({"dryRun": true})).await;
    let counted = ended(namespace, "counted").await;
    assert_eq!(counted["status"]["phase"], "Complete", "{counted:#}");
    assert!(
        counted["status"]["matched"].as_i64() >= Some(letters),
        "{counted:#}"
    );
    assert!(
        count_letters(namespace).await >= letters,
        "a dry run changes nothing"
    );

    create(
        namespace,
        "settled",
        json!({"ratePerSecond": 1, "reason": "the fault is repaired"}),
    )
    .await;
    until(namespace, "it runs", ["redrive", "settled"], |redrive| {
        redrive["status"]["phase"] == "Running"
    })
    .await;
    leader::kill(namespace, Pod::Goes).await;
    let settled = ended(namespace, "settled").await;
    println!(
        "{}",
        namespace.kubectl(&["get", "outboxrelays,redrives"]).await
    );
    assert_eq!(settled["status"]["phase"], "Complete", "{settled:#}");
    assert_eq!(
        settled["status"]["done"], settled["status"]["matched"],
        "{settled:#}"
    );
    let id = settled["metadata"]["uid"].as_str().unwrap();
    let asked =
        format!("select count(*), min(reason) from messaging.operation where request_id = '{id}'");
    let asked = query(namespace, "payments", &asked).await;
    assert!(asked.starts_with("1|Redrive "), "{asked}");
    assert!(asked.ends_with(": the fault is repaired"), "{asked}");
    visitors.see_orders_end().await;
    visitors.leave().await;
    audit::assert_clean(namespace).await;
}

#[tokio::test]
async fn a_letter_that_dies_again_stops_it() {
    let namespace = shop().await;
    let poison = "insert into messaging.dead_letter
            (consumer, body_digest, routing_key, headers, body, reason_class, reason, whole_message)
        select 'payment.orders.v1', sha256('no batch'), 'order.placed.v1', '{}', 'no batch', 'malformed', 'planted', true
        on conflict do nothing";
    query(namespace, "payments", poison).await;
    create(
        namespace,
        "hopeless",
        json!({"filter": {"reason": "malformed"}}),
    )
    .await;
    let hopeless = ended(namespace, "hopeless").await;
    assert_eq!(hopeless["status"]["phase"], "Failed", "{hopeless:#}");
    assert_eq!(hopeless["status"]["diedAgain"], 1, "{hopeless:#}");
    let why = condition(&hopeless, "Failed")["message"].to_string();
    assert!(why.contains("died again"), "{why}");
    query(
        namespace,
        "payments",
        "delete from messaging.dead_letter where body = 'no batch'",
    )
    .await;
}

async fn create(namespace: &Namespace, name: &str, spec: Value) {
    namespace
        .kubectl(&["delete", "redrive", name, "--ignore-not-found", "--wait"])
        .await;
    let mut whole = json!({"service": "payment", "ratePerSecond": 10});
    for (field, value) in spec.as_object().unwrap() {
        whole[field] = value.clone();
    }
    namespace
        .apply(json!({
            "apiVersion": "gozon.io/v1alpha1",
            "kind": "Redrive",
            "metadata": {"name": name},
            "spec": whole,
        }))
        .await;
}

async fn ended(namespace: &Namespace, name: &str) -> Value {
    until(
        namespace,
        "the redrive ends",
        ["redrive", name],
        |redrive| {
            let phase = &redrive["status"]["phase"];
            phase == "Complete" || phase == "Failed"
        },
    )
    .await
}

async fn count_letters(namespace: &Namespace) -> i64 {
    let count = "select count(*) from messaging.dead_letter";
    query(namespace, "payments", count).await.parse().unwrap()
}

/// A fault in the payment service's place: these customers' payments cannot be written.
async fn break_payments(namespace: &Namespace) {
    let last = FIRST_USER + CUSTOMERS - 1;
    // One of the customers is spared, so that the fault is seen to be that of the others.
    let sql = format!(
        "create or replace function payments.broken() returns trigger language plpgsql as $$
         begin
            if new.user_id between {} and {last} then raise exception 'a fault'; end if;
            return new;
         end $$;
         create trigger broken before insert on payments.payment for each row execute function payments.broken();",
        FIRST_USER + 1
    );
    query(namespace, "payments", &sql).await;
}

async fn repair_payments(namespace: &Namespace) {
    query(
        namespace,
        "payments",
        "drop trigger broken on payments.payment",
    )
    .await;
}
