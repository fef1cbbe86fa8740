-- The inbox, dead letters and idempotency keys: what makes a repeated message or request harmless.

create table messaging.inbox (
    message_id uuid not null,
    consumer text not null,
    digest bytea not null,
    received_at timestamptz not null default now(),
    constraint inbox_pkey primary key (message_id, consumer)
) partition by range (message_id);

comment on table messaging.inbox is 'Events already settled: the first filter against duplicates. Partitioned by the instant inside the UUIDv7; an id older than the oldest partition is refused, never executed.';
comment on column messaging.inbox.digest is 'SHA-256 over type, subject and data: the same id with other contents is a conflict.';

create table messaging.dead_letter (
    id bigint generated always as identity constraint dead_letter_pkey primary key,
    consumer text not null,
    message_id uuid,
    body_digest bytea not null,
    type text,
    routing_key text not null,
    headers jsonb not null,
    body bytea not null,
    reason_class text not null,
    reason text not null,
    trace_id text,
    occurrences integer not null default 1 constraint dead_letter_occurrences_positive check (occurrences > 0),
    first_seen_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now()
);

create unique index dead_letter_key on messaging.dead_letter (consumer, message_id, body_digest) nulls not distinct;

comment on table messaging.dead_letter is 'Messages that could not be settled, whole, with the reason: nothing that was delivered disappears.';
comment on column messaging.dead_letter.message_id is 'The event id; null when the message has none that can be read.';
comment on column messaging.dead_letter.body_digest is 'SHA-256 of the body: with the id, if there is one, what makes a letter unique. A conflict has the id of another body.';
comment on column messaging.dead_letter.occurrences is 'How often the same letter arrived.';

create table messaging.idempotency_key (
    user_id bigint not null constraint idempotency_key_user_positive check (user_id > 0),
    key text not null constraint idempotency_key_length check (length(key) between 1 and 128),
    request_digest bytea not null,
    resource_id uuid not null,
    created_at timestamptz not null default now(),
    constraint idempotency_key_pkey primary key (user_id, key)
);

comment on table messaging.idempotency_key is 'Requests already carried out: the inbox of the HTTP API, written in the transaction of the effect. A key is kept for 24 hours.';
comment on column messaging.idempotency_key.request_digest is 'SHA-256 over operation and body: the same key with another request is refused.';
comment on column messaging.idempotency_key.resource_id is 'What the first request made, from which its answer is given again.';
