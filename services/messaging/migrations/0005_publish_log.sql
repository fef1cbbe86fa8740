-- What was published, what never can be, and rows that came from another cluster.

create table messaging.publish_log (
    published_at timestamptz not null,
    confirmed_at timestamptz not null,
    relay text not null,
    type text not null,
    lanes smallint[] not null,
    first_id bigint not null,
    last_id bigint not null,
    first_event uuid not null,
    last_event uuid not null,
    event_ids uuid[] not null,
    attempts integer not null constraint publish_log_attempts_positive check (attempts > 0),
    outcome text not null
) partition by range (published_at);

-- Messages are logged about in the order of their events, so a few blocks hold all that could carry one.
create index publish_log_events_idx on messaging.publish_log using brin (first_event, last_event)
    with (pages_per_range = 16);

comment on table messaging.publish_log is 'One row per AMQP message, append-only: which events it carried, by whom and when. Written with the cursor, so the last half second before a crash may be missing.';
comment on column messaging.publish_log.published_at is 'The first attempt.';
comment on column messaging.publish_log.lanes is 'The lanes of its events, owned by the relay at that time.';
comment on column messaging.publish_log.first_id is 'The smallest outbox id in it.';
comment on column messaging.publish_log.first_event is 'The smallest event id in it, as last_event is the largest.';
comment on column messaging.publish_log.event_ids is 'The events, in their order.';
comment on column messaging.publish_log.attempts is 'How often it was published until the broker confirmed it.';
comment on column messaging.publish_log.outcome is 'The broker''s answer to the last attempt.';

create table messaging.parked (
    outbox_id bigint constraint parked_pkey primary key,
    lane smallint not null,
    key uuid not null,
    event_id uuid not null,
    type text not null,
    body bytea not null,
    reason text not null,
    parked_at timestamptz not null default now()
);

create index parked_lane_key_idx on messaging.parked (lane, key);

comment on table messaging.parked is 'Events that can never be sent, and the later events of their keys: the rest of the outbox flows past them.';
comment on column messaging.parked.reason is 'too_large, or behind: an earlier event of its key is parked.';

create function messaging.adopt_restored(after_id bigint, span bigint, out adopted bigint, out next_id bigint)
    language plpgsql
    security definer
    set search_path = pg_catalog
as $$
declare
    start_id bigint := greatest(after_id, coalesce((select min(id) - 1 from messaging.outbox), 0));
begin
    adopted := 0;
    -- Only after a restore: at any other time a row's number says who wrote it.
    if not exists (
        select from messaging.lane
        where system_identifier <> (pg_control_system()).system_identifier
            or pg_snapshot_xmax(settled) > pg_snapshot_xmax(pg_current_snapshot())
    ) then
        return;
    end if;
    -- What this cluster wrote and has committed is below every running transaction.
    update messaging.outbox set xid = pg_current_xact_id()
    where id > start_id and id <= start_id + span and xid >= pg_snapshot_xmin(pg_current_snapshot());
    get diagnostics adopted = row_count;
    if start_id + span < (select max(id) from messaging.outbox) then
        next_id := start_id + span;
    end if;
end
$$;

comment on function messaging.adopt_restored is 'After a logical restore: gives the outbox rows of a span of ids whose transaction numbers this cluster has not finished a number of its own, or no reader would find them. Says how many, and where to go on.';

revoke execute on function messaging.adopt_restored from public;
