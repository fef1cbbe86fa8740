//! An outbox for people: first what is wrong, then who does what.

use super::{add, age, count, table};
use crate::ops::{
    Service,
    outbox::{BrokerState, LaneStatus, OutboxStatus},
};

/// Beyond this silence a relay counts as gone.
const SILENT_SECONDS: f64 = 3.0;

/// A waiting event is worth a word beyond this age.
const OLD_SECONDS: f64 = 5.0;

/// Fewer partitions ahead than this are worth a word.
const PARTITION_DAYS_MIN: i32 = 2;

/// The whole of it, with all lanes or those where something waits or nobody publishes.
pub(in crate::role::operate) fn text(
    service: Service,
    status: &OutboxStatus,
    all_lanes: bool,
) -> String {
    let mut text = format!("{} outbox: {}\n", service.as_str(), waiting(status));
    for warning in warnings(service, status) {
        add(&mut text, format_args!("  ! {warning}\n"));
    }
    let relays: Vec<_> = status
        .relays
        .iter()
        .map(|relay| {
            let state = if relay.silent_seconds <= SILENT_SECONDS {
                "alive"
            } else {
                "gone"
            };
            [
                relay.name.clone(),
                state.to_owned(),
                relay.lanes.to_string(),
                relay.published_events.to_string(),
                relay.broker.map_or("-", BrokerState::as_str).to_owned(),
                age(relay.silent_seconds),
            ]
        })
        .collect();
    if !relays.is_empty() {
        text.push_str(&table(
            [
                "relay",
                "state",
                "lanes",
                "published",
                "broker",
                "last seen",
            ],
            &relays,
        ));
    }
    let shown = |lane: &&LaneStatus| all_lanes || lane.pending > 0 || lane.owner.is_none();
    let lanes: Vec<_> = status.lanes.iter().filter(shown).map(row).collect();
    if !lanes.is_empty() {
        text.push_str(&table(
            ["lane", "waiting", "oldest", "owner", "lease", "epoch"],
            &lanes,
        ));
    }
    text.push('\n');
    text
}

fn waiting(status: &OutboxStatus) -> String {
    let Some(oldest) = status.oldest_seconds else {
        return "nothing waits".to_owned();
    };
    let more = if status.pending_is_capped {
        "at least "
    } else {
        ""
    };
    let events = count(status.pending, "event");
    format!("{more}{events} waiting, the oldest for {}", age(oldest))
}

fn warnings(service: Service, status: &OutboxStatus) -> Vec<String> {
    let mut warnings = Vec::new();
    let alive = |relay: &&crate::ops::outbox::RelayStatus| relay.silent_seconds <= SILENT_SECONDS;
    let ownerless = status.lanes.iter().filter(|lane| lane.owner.is_none());
    let ownerless = ownerless.count();
    if status.relays.iter().filter(alive).count() == 0 {
        warnings.push(format!(
            "no relay is alive: start one with `gozon relay --database {}s`",
            service.as_str()
        ));
    } else if ownerless > 0 {
        warnings.push(format!(
            "{ownerless} of {} lanes have no owner: relays take them within seconds",
            status.lanes.len()
        ));
    }
    if status
        .oldest_seconds
        .is_some_and(|oldest| oldest > OLD_SECONDS)
    {
        warnings.push(
            "events wait too long: look at the relays' /readyz and logs, and at the broker"
                .to_owned(),
        );
    }
    if status.parked > 0 {
        warnings.push(format!(
            "{} parked, the first {} ago: no message can hold them, and their orders' later events wait behind them; the relays' logs name them",
            count(status.parked, "event"),
            age(status.parked_oldest_seconds.unwrap_or_default())
        ));
    }
    match status.partition_days_ahead {
        Some(days) if days >= PARTITION_DAYS_MIN => {}
        days => warnings.push(format!(
            "partitions reach {} days ahead: relays make them, `gozon migrate` does too",
            days.unwrap_or_default()
        )),
    }
    warnings
}

fn row(lane: &LaneStatus) -> [String; 6] {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    [
        lane.lane.to_string(),
        lane.pending.to_string(),
        or_none(lane.oldest_seconds.map(age)),
        or_none(lane.owner.clone()),
        or_none(lane.lease_seconds.map(|seconds| format!("{seconds:.1} s"))),
        lane.epoch.to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::outbox::RelayStatus;

    fn status() -> OutboxStatus {
        let lane = |lane, owner: Option<&str>, pending| LaneStatus {
            lane,
            owner: owner.map(str::to_owned),
            lease_seconds: owner.map(|_| 2.5),
            epoch: 4,
            pending,
            oldest_seconds: (pending > 0).then_some(7.0),
        };
        OutboxStatus {
            pending: 3,
            pending_is_capped: false,
            oldest_seconds: Some(7.0),
            parked: 0,
            parked_oldest_seconds: None,
            partition_days_ahead: Some(7),
            relays: vec![RelayStatus {
                name: "orders-a".into(),
                silent_seconds: 0.4,
                lanes: 2,
                published_events: 1_204,
                broker: Some(BrokerState::Ok),
                told_seconds: Some(0.4),
            }],
            lanes: vec![
                lane(0, Some("orders-a"), 0),
                lane(1, Some("orders-a"), 3),
                lane(2, None, 0),
            ],
        }
    }

    #[test]
    fn what_waits_and_what_is_wrong_come_first() {
        let text = text(Service::Order, &status(), false);
        let expected = "\
order outbox: 3 events waiting, the oldest for 7.0 s
  ! 1 of 3 lanes have no owner: relays take them within seconds
  ! events wait too long: look at the relays' /readyz and logs, and at the broker
  relay     state  lanes  published  broker  last seen
  orders-a  alive  2      1204       ok      0.4 s
  lane  waiting  oldest  owner     lease  epoch
  1     3        7.0 s   orders-a  2.5 s  4
  2     0        -       -         -      4

";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_quiet_outbox_is_one_line_and_its_relays() {
        let mut quiet = status();
        quiet.oldest_seconds = None;
        quiet.lanes.truncate(1);
        let text = text(Service::Payment, &quiet, false);
        assert!(
            text.starts_with("payment outbox: nothing waits\n  relay"),
            "{text}"
        );
        assert!(!text.contains('!'), "{text}");
    }

    #[test]
    fn a_missing_relay_and_missing_partitions_are_said_with_what_to_do() {
        let mut alone = status();
        alone.relays[0].silent_seconds = 60.0;
        alone.partition_days_ahead = Some(0);
        alone.pending_is_capped = true;
        let text = text(Service::Order, &alone, true);
        assert!(text.contains("gozon relay --database orders"), "{text}");
        assert!(text.contains("partitions reach 0 days ahead"), "{text}");
        assert!(text.contains("at least 3 events"), "{text}");
        assert!(text.contains("gone"), "{text}");
    }
    #[test]
    fn events_that_can_never_be_sent_are_counted() {
        let mut with_parked = status();
        (with_parked.parked, with_parked.parked_oldest_seconds) = (2, Some(60.0));
        let text = text(Service::Order, &with_parked, false);
        assert!(text.contains("! 2 events parked, the first"), "{text}");
    }
}
