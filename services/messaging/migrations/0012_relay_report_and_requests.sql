-- What a relay tells of itself; and redrives that a client can repeat, find again and follow.

alter table messaging.relay
    add column published bigint not null default 0
        constraint relay_published_not_negative check (published >= 0),
    add column broker text
        constraint relay_broker_known check (broker in ('ok', 'blocked', 'away')),
    add column told_at timestamptz;

comment on column messaging.relay.heartbeat is 'When it last showed that it lives. A relay that cannot publish and owns nothing does not: it would be given a share of the lanes.';
comment on column messaging.relay.published is 'How many events the broker has confirmed to it since it started: it only grows while the relay lives.';
comment on column messaging.relay.broker is 'The broker as the relay sees it: ok, blocked (it asked to pause) or away. Null in rows of older relays.';
comment on column messaging.relay.told_at is 'When it last told the two. Null in rows of older relays.';

alter table messaging.operation
    add column request_id uuid,
    add column result jsonb;

create unique index operation_request_key on messaging.operation (request_id);

comment on column messaging.operation.request_id is 'The client''s name for its request, under which it can be repeated and found. Null where the action takes none.';
comment on column messaging.operation.result is 'What was answered, to be answered again.';

alter table messaging.dead_letter add column redrive_request uuid;

create index dead_letter_redrive_request_idx on messaging.dead_letter (redrive_request) where redrive_request is not null;

comment on column messaging.dead_letter.redrive_request is 'The request by which it is marked. Means nothing where redrive_at is null: an older version takes only that mark away.';

create table messaging.redrive_end (
    request_id uuid not null,
    letter_id bigint not null,
    outcome text not null
        constraint redrive_end_outcome_known check (outcome in ('settled', 'died_again', 'cancelled', 'discarded')),
    at timestamptz not null default now(),
    constraint redrive_end_pkey primary key (request_id, letter_id)
);

comment on table messaging.redrive_end is 'How each mark of a redrive ended, append-only, written in the transaction that ended it.';
comment on column messaging.redrive_end.outcome is 'settled (or found settled before, or opened into its events), died_again, cancelled or discarded.';
