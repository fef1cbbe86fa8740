//! What a service says about its outbox, as decisions need it.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use crate::{
    ops::{OutboxView, RelayView},
    scaling::{Broker, Outbox},
};

/// After how many seconds of silence a relay counts as gone: the service hands its lanes to others then.
const SILENT_MAX: f64 = 3.0;

/// After how many seconds what a relay said about the broker is no news.
const TOLD_MAX: f64 = 10.0;

/// How much each relay had published at an instant.
#[derive(Debug, Clone)]
pub(super) struct Published {
    at: Instant,
    by_relay: BTreeMap<String, u64>,
}

impl Published {
    pub(super) fn of(view: &OutboxView, at: Instant) -> Self {
        let told = view.relays.iter();
        Self {
            at,
            by_relay: told
                .filter_map(|relay| Some((relay.name.clone(), relay.published?)))
                .collect(),
        }
    }

    /// How many events per second were published since, by relays that were there before; one that is new has published
    /// before anybody looked, or next to nothing.
    fn rate(&self, now: &Self) -> Option<u64> {
        let seconds = (now.at - self.at).as_secs_f64();
        if seconds < 1.0 || now.by_relay.is_empty() {
            return None;
        }
        let more = |(name, count): (&String, &u64)| {
            let before = self.by_relay.get(name)?;
            Some(count.saturating_sub(*before))
        };
        let events: u64 = now.by_relay.iter().filter_map(more).sum();
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate is an estimate"
        )]
        let rate = (events as f64 / seconds).round() as u64;
        Some(rate)
    }
}

pub(super) fn outbox(view: &OutboxView, before: Option<&Published>, now: Instant) -> Outbox {
    let rate = before.and_then(|before| before.rate(&Published::of(view, now)));
    Outbox {
        oldest_age: Duration::try_from_secs_f64(view.oldest_seconds.unwrap_or_default())
            .unwrap_or_default(),
        backlog: u64::try_from(view.pending).unwrap_or_default(),
        live_relays: live(view),
        lanes: u32::try_from(view.lanes.len()).unwrap_or_default(),
        broker: broker(&view.relays),
        published_per_second: rate,
    }
}

pub(super) fn live(view: &OutboxView) -> u32 {
    let live = view.relays.iter().filter(|relay| is_live(relay)).count();
    u32::try_from(live).unwrap_or(u32::MAX)
}

fn is_live(relay: &RelayView) -> bool {
    relay.silent_seconds <= SILENT_MAX
}

/// One that publishes shows that the broker takes messages; if none does, what they say.
fn broker(relays: &[RelayView]) -> Broker {
    let news: Vec<_> = relays
        .iter()
        .filter(|relay| relay.told_seconds.unwrap_or(relay.silent_seconds) <= TOLD_MAX)
        .filter_map(|relay| relay.broker.as_deref())
        .collect();
    if news.is_empty() || news.contains(&"ok") {
        Broker::Accepting
    } else if news.contains(&"blocked") {
        Broker::Blocked
    } else {
        Broker::Unreachable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relay(name: &str, published: u64, broker: &str) -> RelayView {
        RelayView {
            name: name.into(),
            silent_seconds: 0.5,
            published: Some(published),
            broker: Some(broker.into()),
            told_seconds: Some(0.5),
        }
    }

    fn view(relays: Vec<RelayView>) -> OutboxView {
        OutboxView {
            pending: 10,
            oldest_seconds: Some(1.5),
            relays,
            lanes: Vec::new(),
        }
    }

    #[test]
    fn the_rate_is_that_of_relays_which_were_there_before() {
        let begin = Instant::now();
        let later = begin + Duration::from_secs(5);
        let before = Published::of(
            &view(vec![relay("a", 1_000, "ok"), relay("gone", 9, "ok")]),
            begin,
        );
        let now = view(vec![relay("a", 2_000, "ok"), relay("new", 7_777, "ok")]);
        let seen = outbox(&now, Some(&before), later);
        assert_eq!(seen.published_per_second, Some(200));
        assert_eq!(outbox(&now, None, later).published_per_second, None);
        let began_anew = view(vec![relay("a", 5, "ok")]);
        assert_eq!(
            outbox(&began_anew, Some(&before), later).published_per_second,
            Some(0)
        );
    }

    #[test]
    fn the_broker_is_in_the_way_only_where_no_relay_gets_through() {
        let of = |states: &[&str]| {
            let relays: Vec<_> = states.iter().map(|state| relay("a", 0, state)).collect();
            broker(&relays)
        };
        assert_eq!(of(&[]), Broker::Accepting);
        assert_eq!(of(&["ok", "away"]), Broker::Accepting);
        assert_eq!(of(&["blocked", "away"]), Broker::Blocked);
        assert_eq!(of(&["away", "away"]), Broker::Unreachable);
        let mut stale = relay("a", 0, "away");
        stale.told_seconds = Some(60.0);
        assert_eq!(broker(&[stale]), Broker::Accepting);
    }
}
