//! Spans of an event's way, for traces that are recorded: `create` when it is put into an outbox, `publish` when a relay
//! sends it, `process` when a consumer settles it.
//!
//! Names, kinds and attributes are those of OpenTelemetry's semantic conventions for messaging (1.44) and for `RabbitMQ`. A
//! `process` is a child of its event's `create` and linked to it. A `publish` sends up to a hundred events, so it is a root
//! of its own, linked to each one's `create` that is recorded. What is settled again (delivered again, put off, redriven)
//! may be hours later and is no part of the request any more: a root of its own, too, linked to the `create`.

use contracts::{EventId, Message, TraceContext};
use opentelemetry::{
    Context, KeyValue, Value,
    global::{self, BoxedSpan},
    trace::{Link, Span as _, SpanBuilder, SpanKind, Status, TraceContextExt as _, Tracer as _},
};

use crate::topology::{EXCHANGE, Queue};

/// A span that is being recorded. It ends when it is [done](Self::done) or has [failed](Self::fail); one that is dropped
/// before says that what it stands for was abandoned.
#[derive(Debug)]
pub struct Recorded {
    span: BoxedSpan,
    context: TraceContext,
    has_ended: bool,
}

impl Recorded {
    /// A span in the trace of `parent`; none if that is not recorded. Without a collector it stands where its parent does.
    #[must_use]
    pub fn child_of(
        parent: &TraceContext,
        service: &'static str,
        name: String,
        kind: SpanKind,
        attributes: Vec<KeyValue>,
    ) -> Option<Self> {
        if !parent.is_sampled() {
            return None;
        }
        let context = Context::new().with_remote_span_context(parent.to_remote());
        Self::start(builder(name, kind, attributes), service, &context)
    }

    fn start(builder: SpanBuilder, service: &'static str, parent: &Context) -> Option<Self> {
        let span = global::tracer(service).build_with_context(builder, parent);
        let context = TraceContext::of_span(span.span_context())?;
        Some(Self {
            span,
            context,
            has_ended: false,
        })
    }

    /// Where in its trace it stands.
    #[must_use]
    pub const fn context(&self) -> &TraceContext {
        &self.context
    }

    /// Says something more of it.
    pub fn says(&mut self, key: &'static str, value: impl Into<Value>) {
        self.span.set_attribute(KeyValue::new(key, value));
    }

    /// What it stands for has happened.
    pub fn done(mut self) {
        self.has_ended = true;
    }

    /// What it stands for failed, for a reason of this class.
    pub fn fail(mut self, error_type: &'static str) {
        self.has_failed(error_type);
    }

    /// As the result says.
    pub fn end<T, E>(self, result: &Result<T, E>, error_type: &'static str) {
        match result {
            Ok(_) => self.done(),
            Err(_) => self.fail(error_type),
        }
    }

    fn has_failed(&mut self, error_type: &'static str) {
        self.has_ended = true;
        self.says("error.type", error_type);
        self.span.set_status(Status::error(error_type));
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        if !self.has_ended {
            self.has_failed("abandoned");
        }
    }
}

/// An event of this type is put into the outbox.
pub(crate) fn create<M: Message>(event_id: EventId, parent: &TraceContext) -> Option<Recorded> {
    let destination = destination(M::TYPE);
    let attributes = [
        KeyValue::new("messaging.operation.type", "create"),
        KeyValue::new("messaging.message.id", event_id.to_string()),
    ];
    Recorded::child_of(
        parent,
        M::SERVICE,
        format!("create {destination}"),
        SpanKind::Producer,
        of_messaging("create", destination, M::TYPE, attributes),
    )
}

/// A relay sends a message with these events, of whose `create` spans those that are recorded are given.
pub fn publish<'c>(
    kind: &str,
    events: usize,
    creations: impl Iterator<Item = &'c str>,
) -> Option<Recorded> {
    let links: Vec<Link> = creations
        .filter_map(TraceContext::parse)
        .filter(TraceContext::is_sampled)
        .map(link)
        .collect();
    if links.is_empty() {
        return None;
    }
    let destination = destination(kind);
    let attributes = [
        KeyValue::new("messaging.operation.type", "send"),
        KeyValue::new("messaging.batch.message_count", count(events)),
    ];
    let name = format!("publish {destination}");
    let attributes = of_messaging("publish", destination, kind, attributes);
    let publish = builder(name, SpanKind::Client, attributes).with_links(links);
    Recorded::start(publish, contracts::service::RELAY, &Context::new())
}

/// Whether an event is taken up for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// As far as can be told.
    First,
    /// It was delivered, put off or a dead letter before.
    Again,
}

/// A consumer settles an event that came with this type from its queue.
pub(crate) fn process(
    queue: Queue,
    kind: &str,
    event_id: EventId,
    creation: &TraceContext,
    attempt: Attempt,
) -> Option<Recorded> {
    if !creation.is_sampled() {
        return None;
    }
    let destination = format!("{}:{}", destination(kind), queue.name);
    let attributes = [
        KeyValue::new("messaging.operation.type", "process"),
        KeyValue::new("messaging.message.id", event_id.to_string()),
        KeyValue::new("messaging.consumer.group.name", queue.name),
    ];
    let name = format!("process {destination}");
    let attributes = of_messaging("process", destination, kind, attributes);
    let process = builder(name, SpanKind::Consumer, attributes).with_links(vec![link(*creation)]);
    let parent = match attempt {
        Attempt::First => Context::new().with_remote_span_context(creation.to_remote()),
        Attempt::Again => Context::new(),
    };
    Recorded::start(process, queue.service, &parent)
}

/// The destination as the conventions put it together for `RabbitMQ`: exchange and routing key.
fn destination(kind: &str) -> String {
    format!("{EXCHANGE}:{kind}")
}

fn of_messaging<const N: usize>(
    operation: &'static str,
    destination: String,
    kind: &str,
    more: [KeyValue; N],
) -> Vec<KeyValue> {
    let mut attributes = vec![
        KeyValue::new("messaging.system", "rabbitmq"),
        KeyValue::new("messaging.operation.name", operation),
        KeyValue::new("messaging.destination.name", destination),
        KeyValue::new(
            "messaging.rabbitmq.destination.routing_key",
            kind.to_owned(),
        ),
    ];
    attributes.extend(more);
    attributes
}

fn builder(name: String, kind: SpanKind, attributes: Vec<KeyValue>) -> SpanBuilder {
    SpanBuilder::from_name(name)
        .with_kind(kind)
        .with_attributes(attributes)
}

fn link(creation: TraceContext) -> Link {
    Link::new(creation.to_remote(), Vec::new(), 0)
}

fn count(events: usize) -> i64 {
    i64::try_from(events).expect("a count fits")
}
