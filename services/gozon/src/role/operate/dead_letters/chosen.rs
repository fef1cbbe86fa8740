//! Which dead letters a command means.

use std::str::FromStr;

use anyhow::ensure;
use clap::Args;

use crate::ops::{Service, dead_letters::DeadLetterFilter};

/// Which dead letters: those that meet every condition that is set.
#[derive(Debug, Args)]
pub(super) struct Chosen {
    /// These, as `list` names them: payment/17
    letters: Vec<LetterName>,
    /// Only of this service
    #[arg(long, value_enum)]
    service: Option<Service>,
    /// Only of this queue
    #[arg(long)]
    queue: Option<String>,
    /// Only for this reason, as `list` names it
    #[arg(long)]
    reason: Option<String>,
    /// Only events of this type
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// At least this many seconds in dead letters
    #[arg(long)]
    min_age_seconds: Option<u32>,
}

/// A dead letter's name: its service and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LetterName {
    pub(super) service: Service,
    pub(super) id: i64,
}

impl FromStr for LetterName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.split_once('/').and_then(|(service, id)| {
            Some(Self {
                service: Service::parse(service)?,
                id: id.parse().ok().filter(|id| *id > 0)?,
            })
        });
        name.ok_or("a dead letter is named as `gozon dead-letters list` does: payment/17")
    }
}

impl Chosen {
    /// Whether nothing narrows it down.
    pub(super) fn is_everything(&self) -> bool {
        self.letters.is_empty()
            && self.service.is_none()
            && self.queue.is_none()
            && self.reason.is_none()
            && self.kind.is_none()
            && self.min_age_seconds.is_none()
    }

    /// What to ask of each service that is meant.
    pub(super) fn filters(&self) -> anyhow::Result<Vec<(Service, DeadLetterFilter)>> {
        if let Some(queue) = &self.queue {
            let queues = Service::ALL.map(|service| service.queue().name);
            ensure!(
                queues.contains(&queue.as_str()),
                "no service consumes {queue}: one of {}",
                queues.join(", ")
            );
        }
        let meant = |service: &Service| {
            self.service.is_none_or(|asked| asked == *service)
                && self
                    .queue
                    .as_deref()
                    .is_none_or(|queue| queue == service.queue().name)
                && (self.letters.is_empty()
                    || self.letters.iter().any(|letter| letter.service == *service))
        };
        let filter = |service: Service| DeadLetterFilter {
            queue: self.queue.clone(),
            reason: self.reason.clone(),
            kind: self.kind.clone(),
            min_age_seconds: self.min_age_seconds,
            ids: self
                .letters
                .iter()
                .filter(|letter| letter.service == service)
                .map(|letter| letter.id)
                .collect(),
            after: None,
        };
        let meant = Service::ALL.into_iter().filter(meant);
        let filters: Vec<_> = meant.map(|service| (service, filter(service))).collect();
        ensure!(
            !filters.is_empty(),
            "these conditions exclude each other: no service meets them all"
        );
        Ok(filters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen() -> Chosen {
        Chosen {
            letters: Vec::new(),
            service: None,
            queue: None,
            reason: None,
            kind: None,
            min_age_seconds: None,
        }
    }

    fn services(chosen: &Chosen) -> Vec<Service> {
        let filters = chosen.filters().unwrap();
        filters.into_iter().map(|(service, _)| service).collect()
    }

    #[test]
    fn a_letter_is_named_by_service_and_number() {
        let name = "payment/17".parse::<LetterName>().unwrap();
        assert_eq!((name.service, name.id), (Service::Payment, 17));
        for text in [
            "17",
            "payment",
            "payment/",
            "payment/0",
            "shop/1",
            "payment/1/2",
        ] {
            assert!(text.parse::<LetterName>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_the_services_that_are_meant_are_asked() {
        assert_eq!(services(&chosen()), Service::ALL);
        let by_queue = Chosen {
            queue: Some("order.payments.v1".into()),
            ..chosen()
        };
        assert_eq!(services(&by_queue), [Service::Order]);
        let by_name = Chosen {
            letters: vec!["payment/17".parse().unwrap()],
            ..chosen()
        };
        assert_eq!(services(&by_name), [Service::Payment]);
        assert_eq!(by_name.filters().unwrap()[0].1.ids, [17]);
        let excluded = Chosen {
            service: Some(Service::Order),
            ..by_name
        };
        assert!(excluded.filters().is_err());
        let unknown = Chosen {
            queue: Some("x".into()),
            ..chosen()
        };
        assert!(
            unknown
                .filters()
                .unwrap_err()
                .to_string()
                .contains("payment.orders.v1")
        );
    }
}
