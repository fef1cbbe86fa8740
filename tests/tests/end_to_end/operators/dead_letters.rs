//! Dead letters: found, shown, redriven and discarded.

use serde_json::{Value, json};
use tests::{entrance::Call, poll_until};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use super::{Operator, SOON};

#[tokio::test]
async fn a_dead_letter_is_found_shown_and_redriven_and_the_log_says_by_whom() {
    let operator = Operator::enter().await;
    let name = operator.dead_letter().await;
    let (_, id) = name.split_once('/').unwrap();
    let list = operator
        .reads(&[
            "dead-letters",
            "list",
            "--reason",
            "malformed",
            "--limit",
            "500",
        ])
        .await;
    assert!(list.contains(&name), "{list}");
    let shown = operator.reads(&["dead-letters", "show", &name]).await;
    assert!(shown.contains("no batch at all"), "{shown}");

    // A dry run changes nothing and leaves no record.
    let operations = async || {
        let page = operator
            .asks(Call::get("/ops/v1/payment/operations?limit=500"))
            .await;
        let ours = |operation: &&Value| {
            operation["parameters"]["filter"]["ids"] == json!([id.parse::<i64>().unwrap()])
        };
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(ours)
            .cloned()
            .collect::<Vec<_>>()
    };
    let plan = operator
        .reads(&["dead-letters", "redrive", &name, "--dry-run"])
        .await;
    assert!(plan.contains("would settle 1 dead letter again"), "{plan}");
    assert!(operations().await.is_empty());
    let done = operator
        .reads(&["dead-letters", "redrive", &name, "--rate", "1"])
        .await;
    assert!(
        done.contains("1 dead letter will be settled again"),
        "{done}"
    );
    let recorded = operations().await;
    assert_eq!(recorded.len(), 1, "{recorded:?}");
    assert_eq!(recorded[0]["action"], "dead_letters.redrive");
    assert_eq!(recorded[0]["who"], "operator-token");
    assert_eq!(recorded[0]["affected"], 1);
}

#[tokio::test]
async fn dead_letters_are_chosen_by_filters_for_a_program_to_read() {
    let operator = Operator::enter().await;
    let name = operator.dead_letter().await;
    let (_, id) = name.split_once('/').unwrap();
    let id: i64 = id.parse().unwrap();
    let shown = operator.reads_json(&["dead-letters", "show", &name]).await;
    assert_eq!(
        (&shown["id"], &shown["reason"]),
        (&json!(id), &json!("malformed"))
    );
    let lists = async |filter: &[&str]| {
        let command = [&["dead-letters", "list", "--limit", "500"][..], filter].concat();
        let lists = operator.reads_json(&command).await;
        let lists = lists.as_object().unwrap().values();
        let items = lists.flat_map(|page| page["items"].as_array().unwrap());
        items
            .filter(|letter| letter["id"] == id && letter["queue"] == "payment.orders.v1")
            .count()
    };
    for (filter, found) in [
        (&["--reason", "malformed"][..], 1),
        (&["--service", "payment"], 1),
        (&["--queue", "payment.orders.v1"], 1),
        (&[name.as_str()], 1),
        (&["--reason", "conflict"], 0),
        (&["--service", "order"], 0),
        (&["--type", "nothing.has.this.type"], 0),
        (&["--min-age-seconds", "3600"], 0),
    ] {
        assert_eq!(lists(filter).await, found, "{filter:?}");
    }
    let command = [
        "dead-letters",
        "redrive",
        name.as_str(),
        "--min-age-seconds",
        "3600",
        "--dry-run",
    ];
    let plan = operator.reads_json(&command).await;
    assert_eq!(
        (&plan["payment"]["letters"], &plan["payment"]["dry_run"]),
        (&json!(0), &json!(true))
    );
}

#[tokio::test]
async fn what_a_redrive_did_is_told_for_a_program_to_read() {
    let operator = Operator::enter().await;
    let name = operator.dead_letter().await;
    let (_, id) = name.split_once('/').unwrap();
    let id: i64 = id.parse().unwrap();
    let command = ["dead-letters", "redrive", name.as_str(), "--rate", "7"];
    let done = operator.reads_json(&command).await;
    let services: Vec<_> = done.as_object().unwrap().keys().collect();
    assert_eq!(services, ["payment"], "{done}");
    let answer = &done["payment"];
    assert_eq!(
        (&answer["dry_run"], &answer["letters"]),
        (&json!(false), &json!(1)),
        "{answer}"
    );
    let reasons = answer["by_reason"].as_array().unwrap();
    assert_eq!(reasons.len(), 1, "{answer}");
    assert_eq!(
        (
            &reasons[0]["queue"],
            &reasons[0]["reason"],
            &reasons[0]["letters"]
        ),
        (&json!("payment.orders.v1"), &json!("malformed"), &json!(1))
    );
    let samples = answer["samples"].as_array().unwrap();
    assert_eq!(
        (samples.len(), &samples[0]["id"]),
        (1, &json!(id)),
        "{answer}"
    );
    let due_at = answer["last_due_at"].as_str().unwrap();
    let due_at = OffsetDateTime::parse(due_at, &Rfc3339).unwrap();
    assert!(
        due_at <= OffsetDateTime::now_utc(),
        "the first is due at once"
    );
    let recorded = operator.recorded("payment", &answer["operation_id"]).await;
    assert_eq!(
        (&recorded["action"], &recorded["affected"]),
        (&json!("dead_letters.redrive"), &json!(1))
    );
    assert_eq!(recorded["parameters"]["rate_per_second"], 7);
    poll_until("the letter is tried and dies again", SOON, async || {
        let shown = operator.reads_json(&["dead-letters", "show", &name]).await;
        (shown["attempts"] == 2 && shown["redrive_at"].is_null()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_redrive_is_taken_back_as_far_as_it_has_not_come() {
    let operator = Operator::enter().await;
    let first = operator.dead_letter().await;
    let second = operator.dead_letter().await;
    // The second is due a second after the first.
    let names = [first.as_str(), second.as_str()];
    let redrive = [&["dead-letters", "redrive", "--rate", "1"][..], &names].concat();
    let done = operator.reads(&redrive).await;
    assert!(
        done.contains("2 dead letters will be settled again"),
        "{done}"
    );
    let cancel = ["dead-letters", "cancel-redrive", second.as_str()];
    let done = operator.reads_json(&cancel).await;
    let taken_back = done["payment"]["letters"].as_u64().unwrap();
    let shown = operator
        .reads_json(&["dead-letters", "show", &second])
        .await;
    // Whoever was faster: it is not due any more.
    assert!(taken_back <= 1 && shown["redrive_at"].is_null(), "{shown}");
    let (status, text) = operator.types(&["dead-letters", "cancel-redrive"]).await;
    assert!(!status.success() && text.contains("--all"), "{text}");
}

#[tokio::test]
async fn a_dead_letter_is_discarded_with_a_reason_that_is_kept() {
    let operator = Operator::enter().await;
    let name = operator.dead_letter().await;
    let why = format!("never ours {}", Uuid::now_v7());
    let (status, text) = operator.types(&["dead-letters", "discard", &name]).await;
    assert!(!status.success() && text.contains("--reason"), "{text}");
    let done = operator
        .reads(&["dead-letters", "discard", &name, "--reason", &why])
        .await;
    assert!(done.contains("1 dead letter discarded"), "{done}");
    let (status, text) = operator.types(&["dead-letters", "show", &name]).await;
    assert!(
        !status.success() && text.contains("no dead letter"),
        "{text}"
    );
    let page = operator
        .asks(Call::get("/ops/v1/payment/operations?limit=500"))
        .await;
    let recorded = page["items"].as_array().unwrap().iter();
    let recorded: Vec<_> = recorded.filter(|done| done["reason"] == why).collect();
    assert_eq!(recorded.len(), 1, "{page}");
    assert_eq!(recorded[0]["action"], "dead_letters.discard");
}

#[tokio::test]
async fn what_discarding_did_is_told_for_a_program_to_read() {
    let operator = Operator::enter().await;
    let first = operator.dead_letter().await;
    let second = operator.dead_letter().await;
    let why = format!("never ours {}", Uuid::now_v7());
    let command = ["dead-letters", "discard", &first, &second, "--reason", &why];
    let done = operator.reads_json(&command).await;
    let operation_id = &done["payment"]["operation_id"];
    let expected = json!({"payment": {"letters": 2, "ended": 0, "operation_id": operation_id}});
    assert_eq!(done, expected);
    let recorded = operator.recorded("payment", operation_id).await;
    assert_eq!(
        (
            &recorded["action"],
            &recorded["affected"],
            &recorded["reason"]
        ),
        (&json!("dead_letters.discard"), &json!(2), &json!(why))
    );
    for name in [first, second] {
        let (status, text) = operator.types(&["dead-letters", "show", &name]).await;
        assert!(
            !status.success() && text.contains("no dead letter"),
            "{text}"
        );
    }
}
