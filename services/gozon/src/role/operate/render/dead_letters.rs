//! Dead letters for people: how many for what reason, which, and what to do.

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{add, age, count, printable, table};
use crate::ops::dead_letters::{
    DeadLetter, DeadLetterCount, cancel, discard, list::DeadLetterPage, redrive::Answer,
    show::WholeDeadLetter,
};

/// A page of them, with the counts of all.
pub(in crate::role::operate) fn page(
    service: &str,
    page: &DeadLetterPage,
    now: OffsetDateTime,
) -> String {
    if page.by_reason.is_empty() {
        return format!("{service}: no dead letters\n\n");
    }
    let total: i64 = page.by_reason.iter().map(|count| count.letters).sum();
    let mut text = format!("{service}: {}\n", count(total, "dead letter"));
    text.push_str(&counts(&page.by_reason, now));
    text.push('\n');
    text.push_str(&letters(service, &page.items, now));
    if page.next_cursor.is_some() {
        text.push_str("  and older ones: narrow them down, or ask for more with --limit\n");
    }
    text.push('\n');
    text
}

/// One whole.
pub(in crate::role::operate) fn whole(service: &str, whole: &WholeDeadLetter) -> String {
    let letter = &whole.letter;
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let lines = [
        ("dead letter", format!("{service}/{}", letter.id)),
        ("queue", letter.queue.clone()),
        ("reason", format!("{}: {}", letter.reason, letter.detail)),
        ("type", or_none(letter.kind.clone())),
        (
            "event id",
            or_none(letter.event_id.map(|id| id.to_string())),
        ),
        ("trace id", or_none(letter.trace_id.clone())),
        ("first seen", instant(letter.first_seen_at)),
        ("last seen", instant(letter.last_seen_at)),
        (
            "arrived",
            format!(
                "{}, tried {}",
                count(letter.occurrences, "time"),
                count(letter.attempts, "time")
            ),
        ),
        ("redrive", redrive(letter)),
        ("routing key", whole.routing_key.clone()),
        ("headers", whole.headers.to_string()),
        ("body", format!("{} bytes", whole.body_bytes)),
    ];
    let mut text = String::new();
    for (name, value) in lines {
        add(&mut text, format_args!("{name:12} {}\n", printable(&value)));
    }
    add(&mut text, format_args!("\n{}\n", printable(&whole.body)));
    text
}

/// What a redrive did, or would do.
pub(in crate::role::operate) fn redriven(service: &str, answer: &Answer) -> String {
    let letters = count(answer.letters, "dead letter");
    let mut text = if answer.dry_run {
        format!("{service}: would settle {letters} again; nothing was changed\n")
    } else if answer.letters == 0 {
        format!("{service}: nothing to settle again\n")
    } else {
        let due = answer.last_due_at.map_or_else(String::new, |at| {
            format!(", the last of them at {}", instant(at))
        });
        format!("{service}: {letters} will be settled again{due}\n")
    };
    if answer.dry_run {
        let now = OffsetDateTime::now_utc();
        if !answer.by_reason.is_empty() {
            text.push_str(&counts(&answer.by_reason, now));
            text.push('\n');
            text.push_str(&letters_of_sample(service, &answer.samples, now));
        }
    } else if let Some(operation) = answer.operation_id {
        add(
            &mut text,
            format_args!(
                "  recorded as operation {operation}; `gozon dead-letters list --service {service}` shows what is left\n"
            ),
        );
    }
    text
}

/// What taking a redrive back did.
pub(in crate::role::operate) fn taken_back(service: &str, answer: &cancel::Answer) -> String {
    let operation = answer.operation_id;
    let what = match answer.letters {
        0 => "nothing was to be settled again".to_owned(),
        letters => format!(
            "{} will not be settled again",
            count(letters, "dead letter")
        ),
    };
    format!("{service}: {what}; recorded as operation {operation}\n")
}

/// What discarding did.
pub(in crate::role::operate) fn discarded(service: &str, answer: &discard::Answer) -> String {
    let letters = count(answer.letters, "dead letter");
    let ended = match answer.ended {
        0 => String::new(),
        ended => format!(", {} declined", count(ended, "order")),
    };
    let operation = answer.operation_id;
    format!("{service}: {letters} discarded{ended}; recorded as operation {operation}\n")
}

fn letters_of_sample(service: &str, samples: &[DeadLetter], now: OffsetDateTime) -> String {
    format!("  the newest of them:\n{}", letters(service, samples, now))
}

fn counts(counts: &[DeadLetterCount], now: OffsetDateTime) -> String {
    let rows: Vec<_> = counts
        .iter()
        .map(|count| {
            [
                count.reason.clone(),
                count.letters.to_string(),
                count.marked.to_string(),
                since(count.oldest_at, now),
                count.queue.clone(),
            ]
        })
        .collect();
    table(["reason", "letters", "redriven", "oldest", "queue"], &rows)
}

fn letters(service: &str, letters: &[DeadLetter], now: OffsetDateTime) -> String {
    let rows: Vec<_> = letters
        .iter()
        .map(|letter| {
            [
                format!("{service}/{}", letter.id),
                letter.reason.clone(),
                printable(letter.kind.as_deref().unwrap_or("-")),
                since(letter.first_seen_at, now),
                letter.attempts.to_string(),
                redrive(letter),
                printable(&letter.detail),
            ]
        })
        .collect();
    table(
        [
            "letter", "reason", "type", "age", "tries", "redrive", "detail",
        ],
        &rows,
    )
}

fn redrive(letter: &DeadLetter) -> String {
    match (letter.redrive_at, &letter.redrive_by) {
        (Some(at), Some(by)) => format!("due {} by {}", instant(at), printable(by)),
        _ => "-".to_owned(),
    }
}

fn since(at: OffsetDateTime, now: OffsetDateTime) -> String {
    age((now - at).as_seconds_f64())
}

fn instant(at: OffsetDateTime) -> String {
    at.truncate_to_second()
        .format(&Rfc3339)
        .unwrap_or_else(|_| at.to_string())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-24 03:00:00 UTC);

    fn letter() -> DeadLetter {
        DeadLetter {
            id: 17,
            queue: "payment.orders.v1".into(),
            event_id: None,
            kind: Some("order.placed.v1".into()),
            whole_message: false,
            reason: "conflict".into(),
            detail: "same id,\nother contents".into(),
            occurrences: 1,
            attempts: 2,
            trace_id: None,
            first_seen_at: NOW - time::Duration::hours(3),
            last_seen_at: NOW,
            redrive_at: None,
            redrive_by: None,
            redrive_request_id: None,
        }
    }

    fn counted() -> DeadLetterCount {
        DeadLetterCount {
            queue: "payment.orders.v1".into(),
            reason: "conflict".into(),
            letters: 1,
            marked: 0,
            oldest_at: NOW - time::Duration::hours(3),
        }
    }

    #[test]
    fn a_page_says_how_many_why_and_which() {
        let shown = DeadLetterPage {
            items: vec![letter()],
            by_reason: vec![counted()],
            next_cursor: None,
        };
        let expected = "\
payment: 1 dead letter
  reason    letters  redriven  oldest  queue
  conflict  1        0         3 h     payment.orders.v1

  letter      reason    type             age  tries  redrive  detail
  payment/17  conflict  order.placed.v1  3 h  2      -        same id,\u{fffd}other contents

";
        assert_eq!(page("payment", &shown, NOW), expected);
        let none = DeadLetterPage {
            items: Vec::new(),
            by_reason: Vec::new(),
            next_cursor: None,
        };
        assert_eq!(page("order", &none, NOW), "order: no dead letters\n\n");
    }

    #[test]
    fn a_letter_is_shown_with_its_headers_and_body() {
        let shown = WholeDeadLetter {
            letter: letter(),
            routing_key: "order.placed.v1".into(),
            headers: serde_json::json!({"type": "x"}),
            body_bytes: 9,
            body: "{\"a\":\u{7}1}".into(),
        };
        let text = whole("payment", &shown);
        for part in [
            "dead letter  payment/17\n",
            "arrived      1 time, tried 2 times\n",
            "headers      {\"type\":\"x\"}\n",
            "body         9 bytes\n\n{\"a\":\u{fffd}1}\n",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn a_redrive_says_what_it_did_and_where_to_look() {
        let mut answer = Answer {
            dry_run: false,
            letters: 2,
            by_reason: vec![counted()],
            samples: vec![letter()],
            last_due_at: Some(NOW),
            last_id: Some(17),
            operation_id: Some(5),
            request_id: None,
        };
        let done = redriven("payment", &answer);
        assert!(done.starts_with("payment: 2 dead letters will be settled again, the last of them at 2026-11-24T03:00:00Z\n"), "{done}");
        assert!(done.contains("operation 5"), "{done}");
        answer.dry_run = true;
        let planned = redriven("payment", &answer);
        assert!(planned.contains("nothing was changed"), "{planned}");
        assert!(planned.contains("payment/17"), "{planned}");
        answer.dry_run = false;
        answer.letters = 0;
        assert!(redriven("order", &answer).starts_with("order: nothing"));
        let answer = cancel::Answer {
            letters: 1,
            operation_id: 6,
        };
        assert_eq!(
            taken_back("payment", &answer),
            "payment: 1 dead letter will not be settled again; recorded as operation 6\n"
        );
    }
}
