-- Events that are tried again later, and dead letters that an operator wants settled again.

create table messaging.deferred (
    id bigint generated always as identity constraint deferred_pkey primary key,
    consumer text not null,
    message_id uuid not null,
    body_digest bytea not null,
    type text not null,
    routing_key text not null,
    headers jsonb not null,
    body bytea not null,
    attempts integer not null constraint deferred_attempts_not_negative check (attempts >= 0),
    next_attempt_at timestamptz not null,
    reason_class text not null,
    reason text not null,
    trace_id text,
    first_seen_at timestamptz not null default now(),
    constraint deferred_key unique (consumer, message_id, body_digest)
);

create index deferred_due_idx on messaging.deferred (consumer, next_attempt_at);

comment on table messaging.deferred is 'Events that could not be settled yet: a predecessor is missing, or they alone failed for a passing cause. Their inbox row is written with them, so that they are executed from here and nowhere else; the row is deleted in the transaction that settles the event.';
comment on column messaging.deferred.message_id is 'The event id.';
comment on column messaging.deferred.body_digest is 'SHA-256 of the body, as in dead letters: two bodies under one id never replace each other.';
comment on column messaging.deferred.body is 'The event in JSON, as it arrived.';
comment on column messaging.deferred.attempts is 'How often it was tried; beyond the limit it becomes a dead letter.';
comment on column messaging.deferred.reason_class is 'The class of the dead letter it becomes if it is never settled.';

alter table messaging.dead_letter
    add column whole_message boolean not null default false,
    add column attempts integer not null default 1
        constraint dead_letter_attempts_positive check (attempts > 0),
    add column redrive_at timestamptz,
    add column redrive_by text,
    add constraint dead_letter_redrive_has_author check ((redrive_at is null) = (redrive_by is null));

update messaging.dead_letter set whole_message = true
where message_id is null and reason_class in ('broker', 'content_type', 'too_large');

create index dead_letter_due_idx on messaging.dead_letter (consumer, redrive_at) where redrive_at is not null;

comment on column messaging.dead_letter.whole_message is 'Whether the body is a whole message, which may hold many events, and not a single event.';
comment on column messaging.dead_letter.attempts is 'How often settling it was tried, redrives included.';
comment on column messaging.dead_letter.redrive_at is 'From when on the consumer settles it again; null unless an operator has asked for it.';
comment on column messaging.dead_letter.redrive_by is 'The operator who asked for it.';
