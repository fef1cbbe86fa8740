-- The push of a change stands in the trace of what made the change: that is remembered where the trace is recorded, and
-- nowhere else.
alter table orders.status_history add column traceparent text;

comment on column orders.status_history.traceparent is 'W3C trace context of the span that made the change; null unless its trace is recorded.';
