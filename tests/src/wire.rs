//! The wire: everything that is published to the exchange, in the order in which it arrives, and what must be true of it.

mod order;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use futures_util::StreamExt;
use lapin::{
    Consumer,
    message::Delivery,
    options::{BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use reqwest::Method;
use serde_json::json;

use crate::{
    RawBroker, TestVhost,
    poll::{poll_for, poll_until},
    series::Written,
};

pub use order::{Arrival, events, first_occurrences, one_owner_after_the_other, repeats};

/// Every event goes there.
const EXCHANGE: &str = "gozon.events";

/// Where the broker tells of every publish in a vhost that is traced, before any queue has the message.
const TRACE: &str = "amq.rabbitmq.trace";

/// A queue of its own that is bound to everything, and what was in it.
pub struct Wire {
    seen: Arc<Mutex<Seen>>,
    _broker: RawBroker,
}

#[derive(Debug, Default)]
struct Seen {
    /// What came to the queue.
    arrivals: Vec<Arrival>,
    /// What was published, and over which connection; empty unless the vhost is traced.
    publishes: Vec<Arrival>,
}

impl Wire {
    /// Looks at the wire from now on. The exchange is declared.
    ///
    /// # Panics
    /// When the broker refuses.
    pub async fn of(vhost: &TestVhost) -> Self {
        Self::over(vhost.raw().await).await
    }

    /// The same over the connection of a broker that is not of this run.
    ///
    /// # Panics
    /// When the broker refuses.
    pub async fn over(broker: RawBroker) -> Self {
        let channel = broker.channel();
        let exclusive = QueueDeclareOptions {
            exclusive: true,
            ..QueueDeclareOptions::default()
        };
        let declared = channel.queue_declare("".into(), exclusive, FieldTable::default());
        let queue = declared.await.expect("the owner declares what it likes");
        let queue = queue.name().as_str().to_owned();
        bind(&broker, &queue, EXCHANGE, "#").await;
        bind(&broker, &queue, TRACE, &format!("publish.{EXCHANGE}")).await;
        let options = BasicConsumeOptions {
            no_ack: true,
            ..BasicConsumeOptions::default()
        };
        let consumer = channel
            .basic_consume(
                queue.as_str().into(),
                "".into(),
                options,
                FieldTable::default(),
            )
            .await
            .expect("the owner reads its own queue");
        let seen = Arc::default();
        tokio::spawn(record(consumer, Arc::clone(&seen)));
        Self {
            seen,
            _broker: broker,
        }
    }

    /// The same, and the broker tells over which connection each message was published.
    ///
    /// # Panics
    /// When the broker refuses.
    pub async fn traced(vhost: &TestVhost) -> Self {
        let wire = Self::of(vhost).await;
        let path = format!("vhosts/{}", vhost.name());
        vhost
            .management(Method::PUT, &path, Some(&json!({"tracing": true})))
            .await
            .expect("an administrator has a vhost traced");
        wire
    }

    /// What arrived so far, in its order.
    #[must_use]
    pub fn arrivals(&self) -> Vec<Arrival> {
        self.seen().arrivals.clone()
    }

    /// What was published so far, in its order, with the connections.
    #[must_use]
    pub fn publishes(&self) -> Vec<Arrival> {
        self.seen().publishes.clone()
    }

    /// How many events arrived so far, repeats included.
    #[must_use]
    pub fn count(&self) -> usize {
        self.seen().arrivals.len()
    }

    /// Waits until everything written has arrived, and checks the order of first occurrences along each key. Says what
    /// arrived.
    ///
    /// # Panics
    /// When something is missing at the end of the time, or out of order.
    pub async fn complete(&self, written: &Written, within: Duration) -> Vec<Arrival> {
        let all_there = poll_for(within, async || {
            self.missing(written).is_empty().then_some(())
        });
        let in_time = all_there.await.is_some();
        let arrivals = self.arrivals();
        if let Err(wrong) = order::first_occurrences(&arrivals) {
            panic!("{wrong}");
        }
        let missing = self.missing(written);
        assert!(in_time, "missing after {within:?}, by key: {missing:?}");
        arrivals
    }

    /// Waits until so many more events have arrived.
    ///
    /// # Panics
    /// When they do not.
    pub async fn moves_by(&self, events: usize, within: Duration) {
        let from = self.count();
        poll_until("events arrive", within, async || {
            (self.count() >= from + events).then_some(())
        })
        .await;
    }

    /// How many different events of each key are missing.
    fn missing(&self, written: &Written) -> HashMap<String, u64> {
        let mut found: HashMap<String, HashSet<u64>> = HashMap::new();
        for arrival in &self.seen().arrivals {
            found
                .entry(arrival.key.clone())
                .or_default()
                .insert(arrival.number);
        }
        let missing = written.iter().map(|(key, written)| {
            let found = found.get(key).map_or(0, HashSet::len);
            let found = u64::try_from(found).expect("a count fits");
            (key.clone(), written.saturating_sub(found))
        });
        missing.filter(|(_, missing)| *missing > 0).collect()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen
            .lock()
            .expect("nothing panics while it holds this")
    }
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire")
            .field("count", &self.count())
            .finish_non_exhaustive()
    }
}

async fn bind(broker: &RawBroker, queue: &str, exchange: &str, routing_key: &str) {
    broker
        .channel()
        .queue_bind(
            queue.into(),
            exchange.into(),
            routing_key.into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await
        .expect("the owner binds what it likes");
}

async fn record(mut consumer: Consumer, seen: Arc<Mutex<Seen>>) {
    for message in 0.. {
        // It ends with the connection: that of a test which is over, or whose broker went away.
        let Some(Ok(delivery)) = consumer.next().await else {
            return;
        };
        let publisher = publisher(&delivery);
        let events = order::events_of(&delivery.data, message, publisher.as_ref());
        let mut seen = seen.lock().expect("nothing panics while it holds this");
        match publisher {
            Some(_) => seen.publishes.extend(events),
            None => seen.arrivals.extend(events),
        }
    }
}

/// The connection a message was published over, if the delivery is the broker's copy that tells.
fn publisher(delivery: &Delivery) -> Option<Arc<str>> {
    if delivery.exchange.as_str() != TRACE {
        return None;
    }
    let headers = delivery.properties.headers().as_ref()?;
    match headers.inner().get("connection") {
        Some(AMQPValue::LongString(name)) => Some(String::from_utf8_lossy(name.as_bytes()).into()),
        _ => Some("unknown".into()),
    }
}
