-- Partitions are made ahead by whoever relays, without the right to change tables.

create function messaging.uuid_at(instant timestamptz) returns uuid
    language sql immutable strict parallel safe
    set search_path = pg_catalog
    return (lpad(to_hex((extract(epoch from instant) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;

comment on function messaging.uuid_at is 'The lower bound of all UUIDv7 of this instant (RFC 9562, section 5.7: 48 bits of milliseconds come first).';

create function messaging.maintain_partitions() returns integer
    language plpgsql
    security definer
    set search_path = pg_catalog
    set lock_timeout = '50ms'
as $$
declare
    today constant date := (now() at time zone 'utc')::date;
    days_back constant integer := 2;
    days_ahead constant integer := 7;
    made integer := 0;
    day date;
    suffix text;
    lower_bound timestamptz;
    upper_bound timestamptz;
begin
    -- One at a time; whoever comes second has nothing to do.
    if not pg_try_advisory_xact_lock(hashtext('messaging.maintain_partitions')) then
        return 0;
    end if;
    for offset_days in -days_back .. days_ahead loop
        day := today + offset_days;
        suffix := to_char(day, 'YYYYMMDD');
        lower_bound := day::timestamp at time zone 'utc';
        upper_bound := (day + 1)::timestamp at time zone 'utc';
        if to_regclass('messaging.outbox_' || suffix) is null then
            execute format('create table messaging.%I partition of messaging.outbox for values from (%L) to (%L)',
                'outbox_' || suffix, lower_bound, upper_bound);
            made := made + 1;
        end if;
        if to_regclass('messaging.inbox_' || suffix) is null then
            execute format('create table messaging.%I partition of messaging.inbox for values from (%L) to (%L)',
                'inbox_' || suffix, messaging.uuid_at(lower_bound), messaging.uuid_at(upper_bound));
            made := made + 1;
        end if;
    end loop;
    return made;
end
$$;

comment on function messaging.maintain_partitions is 'Makes the daily partitions of outbox and inbox, a week ahead; says how many it made. Called by relays and by the migration.';

revoke execute on function messaging.maintain_partitions from public;

create function messaging.inbox_horizon() returns timestamptz
    language sql stable
    set search_path = pg_catalog
    return (
        select to_timestamp(min(right(child.relname, 8)), 'YYYYMMDD')::timestamp at time zone 'utc'
        from pg_inherits join pg_class child on child.oid = inhrelid
        where inhparent = 'messaging.inbox'::regclass
    );

comment on function messaging.inbox_horizon is 'The start of the oldest inbox partition: an event id older than this is refused.';

select messaging.maintain_partitions();
