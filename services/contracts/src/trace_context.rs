//! W3C trace context: which trace a request and all it causes belong to.

use std::fmt;

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use uuid::Uuid;

/// A `traceparent` of version 00 (W3C Trace Context, section 3.2): trace id, parent span id and flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace_id: u128,
    span_id: u64,
    flags: u8,
}

impl TraceContext {
    /// The root of a new trace, not sampled: nobody records its spans, but its id is in every log line all the same.
    #[must_use]
    pub fn root() -> Self {
        // A random UUID has 122 random bits: never zero, and unique enough for a trace.
        let (span_id, _) = Uuid::new_v4().as_u64_pair();
        Self {
            trace_id: Uuid::new_v4().as_u128(),
            span_id,
            flags: TraceFlags::NOT_SAMPLED.to_u8(),
        }
    }

    /// Whether who began the trace wants its spans recorded.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.flags & TraceFlags::SAMPLED.to_u8() != 0
    }

    /// The context as text, if the trace's spans are recorded.
    #[must_use]
    pub fn recorded(&self) -> Option<String> {
        self.is_sampled().then(|| self.to_string())
    }

    /// The same context, as it came from another process or out of a row.
    #[must_use]
    pub fn to_remote(&self) -> SpanContext {
        SpanContext::new(
            TraceId::from(self.trace_id),
            SpanId::from(self.span_id),
            TraceFlags::new(self.flags),
            true,
            TraceState::NONE,
        )
    }

    /// The context of a span; none if it is no valid one, as of a span that nobody records.
    #[must_use]
    pub fn of_span(span: &SpanContext) -> Option<Self> {
        span.is_valid().then(|| Self {
            trace_id: u128::from_be_bytes(span.trace_id().to_bytes()),
            span_id: u64::from_be_bytes(span.span_id().to_bytes()),
            flags: span.trace_flags().to_u8(),
        })
    }

    /// Reads a `traceparent` header. None if it is malformed, which the standard says to treat as absent.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace_id, span_id, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let lower_hex = |part: &str| {
            part.bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let well_formed = [(version, 2), (trace_id, 32), (span_id, 16), (flags, 2)]
            .into_iter()
            .all(|(part, length)| part.len() == length && lower_hex(part));
        if !well_formed || version == "ff" || (version == "00" && parts.next().is_some()) {
            return None;
        }
        let context = Self {
            trace_id: u128::from_str_radix(trace_id, 16).ok()?,
            span_id: u64::from_str_radix(span_id, 16).ok()?,
            flags: u8::from_str_radix(flags, 16).ok()?,
        };
        (context.trace_id != 0 && context.span_id != 0).then_some(context)
    }

    /// The trace's id, 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace_id)
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "00-{:032x}-{:016x}-{:02x}",
            self.trace_id, self.span_id, self.flags
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_reads_back() {
        let context = TraceContext::root();
        assert_eq!(TraceContext::parse(&context.to_string()), Some(context));
    }

    #[test]
    fn a_context_is_the_same_as_a_span_context() {
        for flags in ["00", "01"] {
            let text = format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}");
            let context = TraceContext::parse(&text).unwrap();
            assert_eq!(context.is_sampled(), flags == "01");
            let span = context.to_remote();
            assert_eq!(span.trace_id().to_string(), context.trace_id());
            assert_eq!(span.span_id().to_string(), "b7ad6b7169203331");
            assert_eq!(TraceContext::of_span(&span), Some(context));
        }
        assert_eq!(TraceContext::of_span(&SpanContext::NONE), None);
    }

    #[test]
    fn a_malformed_context_is_absent() {
        for text in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        ] {
            assert_eq!(TraceContext::parse(text), None, "{text}");
        }
    }
}
