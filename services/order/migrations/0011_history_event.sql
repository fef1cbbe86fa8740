-- Whoever asks what happened to an order may be told by which events, months after the outbox has let them go: so each
-- row of the history keeps the id of its own.
alter table orders.status_history add column event_id uuid;

comment on column orders.status_history.event_id is 'The event that goes with the change: the one it appended (order.placed, refund.requested), or the one it came from (payment.captured, payment.declined, payment.refunded); null in rows older than this column.';
