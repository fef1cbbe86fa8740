//! An order's way for people: one line per hop, with the milliseconds since the one before.

use time::{OffsetDateTime, UtcOffset, macros::format_description};

use super::{add, printable, table};
use crate::{ops::trace::OrderHop, role::operate::trace::WholeTrace};

/// The order, and its hops in the order of time.
pub(in crate::role::operate) fn text(trace: &WholeTrace) -> String {
    let number = trace.number.map_or_else(
        || "not known to the order service".to_owned(),
        |number| format!("number {number}"),
    );
    let mut text = format!("order {} ({number})", trace.order_id);
    if let Some(status) = &trace.status {
        add(&mut text, format_args!(": {status}"));
    }
    if let Some(trace_id) = &trace.trace_id {
        add(&mut text, format_args!(", trace {trace_id}"));
    }
    text.push('\n');
    let mut events = Vec::new();
    let mut before: Option<OffsetDateTime> = None;
    let rows: Vec<_> = trace
        .hops
        .iter()
        .map(|hop| {
            let since = match (hop.at, before) {
                (Some(at), Some(before)) => milliseconds(at - before),
                _ => "-".to_owned(),
            };
            before = hop.at.or(before);
            [
                hop.at.map_or_else(|| "-".to_owned(), instant),
                since,
                hop.service.as_str().to_owned(),
                hop.step.clone(),
                hop.event_id
                    .map_or_else(|| "-".to_owned(), |id| letter(&mut events, id)),
                owner(hop),
                what(hop),
            ]
        })
        .collect();
    text.push_str(&table(
        [
            "instant (UTC)",
            "+ms",
            "service",
            "step",
            "event",
            "owner",
            "what",
        ],
        &rows,
    ));
    for (index, event) in events.iter().enumerate() {
        add(
            &mut text,
            format_args!("  event {} is {event}\n", name(index)),
        );
    }
    if let Some(advice) = advice(trace) {
        add(&mut text, format_args!("  ! {advice}\n"));
    }
    text
}

/// More of it, and how often if more than once.
fn what(hop: &OrderHop) -> String {
    let detail = printable(&hop.detail);
    match hop.attempts {
        Some(attempts) if attempts > 1 => format!("{detail} ({attempts} times)"),
        _ => detail,
    }
}

/// Who, and of what: `orders-a, lane 12, epoch 4`.
fn owner(hop: &OrderHop) -> String {
    let parts = [
        hop.owner.as_deref().map(printable),
        hop.lane.map(|lane| format!("lane {lane}")),
        hop.epoch.map(|epoch| format!("epoch {epoch}")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        "-".to_owned()
    } else {
        parts.join(", ")
    }
}

/// What to do about an order that has not ended.
fn advice(trace: &WholeTrace) -> Option<&'static str> {
    let has = |step: &str| trace.hops.iter().any(|hop| hop.step == step);
    let waits = |status: &str| trace.status.as_deref() == Some(status);
    if has("dead_letter") {
        Some(
            "an event of this order is a dead letter: `gozon dead-letters list` shows it, `redrive` has it settled again",
        )
    } else if has("outbox.parked") {
        Some(
            "an event of this order can never be sent and is parked: `gozon outbox status` counts such events, the relays' logs name them",
        )
    } else if has("outbox.waiting") && (waits("NEW") || waits("REFUNDING")) {
        Some(
            "an event of this order waits in an outbox: `gozon outbox status` shows the lanes and their relays",
        )
    } else if waits("NEW") {
        Some(
            "it is undecided: the reconciler repeats its request if this lasts; is the payment service running?",
        )
    } else if waits("REFUNDING") {
        Some(
            "its money is not back: the reconciler repeats its request if this lasts; is the payment service running?",
        )
    } else {
        None
    }
}

fn instant(at: OffsetDateTime) -> String {
    let format =
        format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:3]");
    at.to_offset(UtcOffset::UTC)
        .format(&format)
        .unwrap_or_else(|_| at.to_string())
}

/// Whole milliseconds and a tenth: the services' clocks are not better than that.
fn milliseconds(difference: time::Duration) -> String {
    format!("{:+.1}", difference.as_seconds_f64() * 1_000.0)
}

/// A short name for an event in this text: A, B, and so on.
fn letter(events: &mut Vec<uuid::Uuid>, id: uuid::Uuid) -> String {
    let index = events
        .iter()
        .position(|event| *event == id)
        .unwrap_or_else(|| {
            events.push(id);
            events.len() - 1
        });
    name(index)
}

fn name(index: usize) -> String {
    let letter = char::from(b'A' + u8::try_from(index % 26).unwrap_or_default());
    match index / 26 {
        0 => letter.to_string(),
        round => format!("{letter}{round}"),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::ops::{Service, trace::in_order};

    fn hop(
        service: Service,
        milliseconds: Option<i64>,
        step: &str,
        event: Option<u128>,
    ) -> OrderHop {
        let begun = datetime!(2026-11-24 03:00:00 UTC);
        OrderHop {
            at: milliseconds.map(|count| begun + time::Duration::milliseconds(count)),
            service,
            step: step.to_owned(),
            owner: (step == "outbox.published").then(|| "orders-a".to_owned()),
            lane: step.starts_with("outbox").then_some(12),
            epoch: (step == "outbox.published").then_some(4),
            attempts: step.starts_with("inbox").then_some(2),
            event_id: event.map(uuid::Uuid::from_u128),
            detail: "as\u{1b}it is".to_owned(),
        }
    }

    fn trace(status: &str, hops: Vec<OrderHop>) -> WholeTrace {
        WholeTrace {
            order_id: uuid::Uuid::nil(),
            number: Some(17),
            status: Some(status.to_owned()),
            trace_id: None,
            hops: in_order(hops),
        }
    }

    #[test]
    fn the_hops_of_both_services_stand_in_one_line_of_time() {
        let text = text(&trace(
            "FINISHED",
            vec![
                hop(Service::Payment, Some(4), "inbox.received", Some(1)),
                hop(Service::Order, None, "outbox.published", Some(1)),
                hop(Service::Order, Some(0), "order.status", None),
                hop(Service::Order, Some(1), "outbox.appended", Some(1)),
            ],
        ));
        let expected = "\
order 00000000-0000-0000-0000-000000000000 (number 17): FINISHED
  instant (UTC)            +ms   service  step              event  owner                       what
  2026-11-24 03:00:00.000  -     order    order.status      -      -                           as\u{fffd}it is
  2026-11-24 03:00:00.001  +1.0  order    outbox.appended   A      lane 12                     as\u{fffd}it is
  -                        -     order    outbox.published  A      orders-a, lane 12, epoch 4  as\u{fffd}it is
  2026-11-24 03:00:00.004  +3.0  payment  inbox.received    A      -                           as\u{fffd}it is (2 times)
  event A is 00000000-0000-0000-0000-000000000001
";
        assert_eq!(text, expected);
    }

    #[test]
    fn an_order_that_has_not_ended_comes_with_what_to_do() {
        for (step, command) in [
            ("outbox.waiting", "gozon outbox status"),
            ("dead_letter", "gozon dead-letters list"),
            ("outbox.parked", "is parked"),
            ("outbox.published", "reconciler"),
        ] {
            for status in ["NEW", "REFUNDING"] {
                let hops = vec![hop(Service::Order, Some(0), step, Some(1))];
                let text = text(&trace(status, hops));
                assert!(text.contains(command), "{step}: {text}");
            }
        }
        let ended = trace(
            "FINISHED",
            vec![hop(Service::Order, None, "outbox.waiting", Some(1))],
        );
        assert!(!text(&ended).contains('!'));
    }
}
