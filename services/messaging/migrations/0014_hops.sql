-- What following an order lacked: when a relay had an event in hand, and that an event came more than once.

alter table messaging.publish_log add column picked_up_at timestamptz;

comment on column messaging.publish_log.picked_up_at is 'When the relay had read the last of its events from their lanes; null in rows of older relays.';

create table messaging.duplicate (
    message_id uuid not null,
    consumer text not null,
    times integer not null constraint duplicate_times_positive check (times > 0),
    first_seen_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    constraint duplicate_pkey primary key (message_id, consumer)
);

comment on table messaging.duplicate is 'Events that came again after they were settled, written in the transaction that found it and had no other effect. Kept as long as the inbox.';
comment on column messaging.duplicate.times is 'How often it came again.';

create function messaging.forget_duplicates(at_most integer) returns bigint
    language plpgsql
    security definer
    set search_path = pg_catalog
    set lock_timeout = '50ms'
as $$
declare
    forgotten bigint;
begin
    delete from messaging.duplicate
    where ctid = any (array(
        select ctid from messaging.duplicate
        -- An older id is refused and never again a duplicate.
        where message_id < messaging.uuid_at(messaging.inbox_horizon())
        limit at_most
        for update skip locked
    ));
    get diagnostics forgotten = row_count;
    return forgotten;
end
$$;

comment on function messaging.forget_duplicates is 'Deletes up to so many duplicates that are older than the inbox; says how many.';

revoke execute on function messaging.forget_duplicates from public;
