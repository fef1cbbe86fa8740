-- What the consumers of a service's queue tell of themselves, so that any replica can answer for all of them.

create table messaging.consumer (
    name text constraint consumer_pkey primary key,
    queue text not null,
    told_at timestamptz not null default now(),
    connected boolean not null,
    paused boolean not null,
    unacknowledged bigint not null constraint consumer_unacknowledged_not_negative check (unacknowledged >= 0),
    fresh bigint not null,
    duplicates bigint not null,
    deferred bigint not null,
    dead_letters bigint not null
) with (fillfactor = 50);

comment on table messaging.consumer is 'The processes that consume this service''s queue, as they told of themselves every few seconds.';
comment on column messaging.consumer.paused is 'It takes nothing, because its database is away.';
comment on column messaging.consumer.unacknowledged is 'Deliveries it has taken up and not acknowledged.';
comment on column messaging.consumer.fresh is 'Events it has settled since it started; duplicates, deferred and dead letters likewise.';
