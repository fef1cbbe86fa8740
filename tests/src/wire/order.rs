//! What must be true of the order in which numbered events arrive, whatever happened to those who published them.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Instant,
};

use serde_json::Value;

/// An event as it arrived.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// What it is about.
    pub key: String,
    /// Its place among the events of its key, from 0.
    pub number: u64,
    /// Its id.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// Which AMQP message it came in.
    pub message: usize,
    /// The connection it was published over, if the broker told.
    pub publisher: Option<Arc<str>>,
    /// When.
    pub at: Instant,
}

/// The events of messages, one after the other.
///
/// # Panics
/// When one is not a batch of events.
#[must_use]
pub fn events(messages: &[Vec<u8>]) -> Vec<Arrival> {
    let messages = messages.iter().enumerate();
    messages
        .flat_map(|(message, body)| events_of(body, message, None))
        .collect()
}

pub(super) fn events_of(body: &[u8], message: usize, publisher: Option<&Arc<str>>) -> Vec<Arrival> {
    let events: Vec<Value> = serde_json::from_slice(body).expect("a message is a JSON array");
    let text = |value: &Value| value.as_str().expect("an attribute is a text").to_owned();
    let arrivals = events.iter().map(|event| Arrival {
        key: text(&event["subject"]),
        number: event["data"]["number"].as_u64().unwrap_or_default(),
        id: text(&event["id"]),
        kind: text(&event["type"]),
        message,
        publisher: publisher.cloned(),
        at: Instant::now(),
    });
    arrivals.collect()
}

/// Along each key, the first occurrences are numbered 0, 1, 2 and so on; whatever comes again has the id it had before.
pub fn first_occurrences(arrivals: &[Arrival]) -> Result<(), String> {
    let mut seen: HashMap<&str, Vec<&str>> = HashMap::new();
    for arrival in arrivals {
        let ids = seen.entry(&arrival.key).or_default();
        let place = usize::try_from(arrival.number).expect("a number is small");
        match ids.get(place) {
            Some(id) if *id == arrival.id => {}
            Some(_) => return Err(format!("it came again under another id: {arrival:?}")),
            None if place == ids.len() => ids.push(&arrival.id),
            None => {
                let awaited = ids.len();
                return Err(format!(
                    "number {awaited} should have come before {arrival:?}"
                ));
            }
        }
    }
    Ok(())
}

/// How many events arrived that had arrived before.
#[must_use]
pub fn repeats(arrivals: &[Arrival]) -> usize {
    let different: HashSet<&str> = arrivals.iter().map(|arrival| arrival.id.as_str()).collect();
    arrivals.len() - different.len()
}

/// Along each key, a connection that published after another one is not followed by that other one any more: what an owner
/// still had on the way does not come behind what its successor sends.
pub fn one_owner_after_the_other(publishes: &[Arrival]) -> Result<(), String> {
    let mut owners: HashMap<&str, Vec<&str>> = HashMap::new();
    for publish in publishes {
        let owner = publish.publisher.as_deref().unwrap_or_default();
        let owners = owners.entry(&publish.key).or_default();
        if owners.last() == Some(&owner) {
            continue;
        }
        if owners.contains(&owner) {
            return Err(format!(
                "after {owners:?} the lane was another's: {publish:?}"
            ));
        }
        owners.push(owner);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(of: &[(&str, u64)]) -> Vec<Arrival> {
        let arrivals = of.iter().map(|(key, number)| Arrival {
            key: (*key).to_owned(),
            number: *number,
            id: format!("{key}{number}"),
            kind: String::new(),
            message: 0,
            publisher: None,
            at: Instant::now(),
        });
        arrivals.collect()
    }

    #[test]
    fn repeats_are_in_order_and_swaps_and_gaps_are_not() {
        for (numbers, holds) in [
            (&[0, 1, 2][..], true),
            (&[0, 1, 0, 1, 2], true),
            (&[0, 1, 2, 0], true),
            (&[1, 0], false),
            (&[0, 2, 1], false),
            (&[0, 0, 2], false),
        ] {
            let of: Vec<_> = numbers.iter().map(|number| ("k", *number)).collect();
            assert_eq!(
                first_occurrences(&arrivals(&of)).is_ok(),
                holds,
                "{numbers:?}"
            );
        }
        assert!(first_occurrences(&arrivals(&[("a", 0), ("b", 0), ("b", 1), ("a", 1)])).is_ok());
        assert_eq!(
            repeats(&arrivals(&[("a", 0), ("b", 0), ("a", 0), ("a", 1)])),
            1
        );
    }

    #[test]
    fn the_same_number_under_another_id_is_no_repeat() {
        let mut two = arrivals(&[("a", 0), ("a", 0)]);
        two[1].id = "another".to_owned();
        assert!(first_occurrences(&two).is_err());
    }

    #[test]
    fn an_owner_that_comes_back_behind_its_successor_is_found() {
        for (owners, holds) in [
            (&["x", "x", "y"][..], true),
            (&["x", "y", "y", "z"], true),
            (&["x", "y", "x"], false),
        ] {
            let mut publishes = arrivals(&vec![("a", 0); owners.len()]);
            for (publish, owner) in publishes.iter_mut().zip(owners) {
                publish.publisher = Some((*owner).into());
            }
            assert_eq!(
                one_owner_after_the_other(&publishes).is_ok(),
                holds,
                "{owners:?}"
            );
        }
    }
}
