-- The outbox: append-only, read by the difference of two snapshots, retained by partition.

create table messaging.outbox (
    -- Before `id`: the transaction has its number before it draws one from the sequence, so a reader that does not see
    -- the number in its snapshot will see it in a later one (PgQ's argument).
    xid xid8 not null default pg_current_xact_id(),
    id bigint generated always as identity,
    lane smallint not null constraint outbox_lane_in_range check (lane between 0 and 63),
    key uuid not null,
    event_id uuid not null,
    type text not null,
    traceparent text not null,
    body bytea not null,
    appended_at timestamptz not null default now(),
    constraint outbox_pkey primary key (id, appended_at)
) partition by range (appended_at);

create index outbox_xid_idx on messaging.outbox (xid);

comment on table messaging.outbox is 'Events to be published, in the transaction that caused them. Never updated; whole partitions are dropped once published.';
comment on column messaging.outbox.xid is 'The transaction that appended the row: readers take the difference of two snapshots over it.';
comment on column messaging.outbox.lane is 'Fixed hash of the key, modulo 64: the unit of ownership among relays.';
comment on column messaging.outbox.key is 'What the event is about; events of one key are published in the order of their commits.';
comment on column messaging.outbox.event_id is 'UUIDv7, the identity of the event through broker and inbox.';
comment on column messaging.outbox.traceparent is 'W3C trace context of the request that caused the event.';
comment on column messaging.outbox.body is 'The CloudEvent in JSON, final: never parsed and written again.';

create table messaging.lane (
    lane smallint constraint lane_pkey primary key constraint lane_in_range check (lane between 0 and 63),
    epoch bigint not null default 0,
    owner text,
    lease_until timestamptz,
    settled pg_snapshot not null default pg_current_snapshot(),
    system_identifier bigint not null default (pg_control_system()).system_identifier,
    constraint lane_owner_has_lease check ((owner is null) = (lease_until is null))
) with (fillfactor = 50);

comment on table messaging.lane is 'Who publishes which part of the outbox, and how far it is published.';
comment on column messaging.lane.epoch is 'Grows with every change of owner; a write-back under an older epoch changes nothing.';
comment on column messaging.lane.settled is 'A snapshot: every row it sees is confirmed by the broker.';
comment on column messaging.lane.system_identifier is 'The cluster that settled belongs to: transaction numbers of another one mean nothing here.';

insert into messaging.lane (lane) select generate_series(0, 63);

create table messaging.relay (
    name text constraint relay_pkey primary key,
    heartbeat timestamptz not null default now()
) with (fillfactor = 50);

comment on table messaging.relay is 'The relays that are alive; each takes its fair share of the lanes.';
