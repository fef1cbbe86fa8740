-- What is not needed any more goes by whole partitions; keys of requests, which have none, in small steps.

create index idempotency_key_created_at_idx on messaging.idempotency_key using brin (created_at);

create function messaging.drop_partition(parent text, suffix text) returns boolean
    language plpgsql
    set search_path = pg_catalog
as $$
begin
    execute format('drop table messaging.%I', parent || '_' || suffix);
    return true;
exception when lock_not_available then
    -- A reader is in the way. Waiting would queue every writer behind us, so the next call tries again.
    return false;
end
$$;

comment on function messaging.drop_partition is 'Drops a daily partition unless somebody reads it; says whether. Part of maintain_partitions.';

revoke execute on function messaging.drop_partition from public;

create or replace function messaging.maintain_partitions() returns integer
    language plpgsql
    security definer
    set search_path = pg_catalog
    set lock_timeout = '50ms'
as $$
declare
    today constant date := (now() at time zone 'utc')::date;
    days_back constant integer := 2;
    days_ahead constant integer := 7;
    parents constant text[] := array['outbox', 'inbox', 'publish_log'];
    -- An event that is delivered again must find its inbox row, or be refused: longer than any queue holds it.
    days_kept constant integer[] := array[2, 7, 3];
    made integer := 0;
    parent text;
    day date;
    lower_bound timestamptz;
    upper_bound timestamptz;
    oldest text;
    largest_id bigint;
begin
    -- One at a time; whoever comes second has nothing to do.
    if not pg_try_advisory_xact_lock(hashtext('messaging.maintain_partitions')) then
        return 0;
    end if;
    for offset_days in -days_back .. days_ahead loop
        day := today + offset_days;
        lower_bound := day::timestamp at time zone 'utc';
        upper_bound := (day + 1)::timestamp at time zone 'utc';
        foreach parent in array parents loop
            if to_regclass(format('messaging.%I', parent || to_char(day, '_YYYYMMDD'))) is null then
                execute format('create table messaging.%I partition of messaging.%I for values from (%L) to (%L)',
                    parent || to_char(day, '_YYYYMMDD'), parent,
                    case parent when 'inbox' then messaging.uuid_at(lower_bound)::text else lower_bound::text end,
                    case parent when 'inbox' then messaging.uuid_at(upper_bound)::text else upper_bound::text end);
                made := made + 1;
            end if;
        end loop;
    end loop;
    -- At most the oldest of each, for a drop locks its table to the end of the transaction.
    for place in 1 .. array_length(parents, 1) loop
        parent := parents[place];
        select min(right(child.relname, 8)) into oldest
        from pg_inherits join pg_class child on child.oid = inhrelid
        where inhparent = format('messaging.%I', parent)::regclass;
        continue when oldest >= to_char(today - days_kept[place], 'YYYYMMDD');
        if parent = 'outbox' then
            execute format('select max(id) from messaging.%I', parent || '_' || oldest) into largest_id;
            -- Every row up to settled_id is published, whatever its lane.
            continue when largest_id > (select min(settled_id) from messaging.lane);
        end if;
        perform messaging.drop_partition(parent, oldest);
    end loop;
    return made;
end
$$;

comment on function messaging.maintain_partitions is 'Makes the daily partitions a week ahead, says how many it made, and drops the oldest of each table when it is old enough and, of the outbox, published. Called by relays and by the migration.';

create function messaging.forget_idempotency_keys(at_most integer) returns bigint
    language plpgsql
    security definer
    set search_path = pg_catalog
    set lock_timeout = '50ms'
as $$
declare
    forgotten bigint;
begin
    delete from messaging.idempotency_key
    where ctid = any (array(
        select ctid from messaging.idempotency_key
        where created_at < now() - interval '24 hours'
        limit at_most
        for update skip locked
    ));
    get diagnostics forgotten = row_count;
    return forgotten;
end
$$;

comment on function messaging.forget_idempotency_keys is 'Deletes up to so many keys older than 24 hours, after which a repeated key is a new request; says how many.';

revoke execute on function messaging.forget_idempotency_keys from public;

create function messaging.partitions_ahead() returns integer
    language sql stable
    set search_path = pg_catalog
    return (
        select count(*)::integer
        from pg_inherits join pg_class child on child.oid = inhrelid
        where inhparent = 'messaging.outbox'::regclass
            and right(child.relname, 8) > to_char(now() at time zone 'utc', 'YYYYMMDD')
    );

comment on function messaging.partitions_ahead is 'For how many days to come the outbox has partitions: at zero, tomorrow''s appends fail.';

revoke execute on function messaging.partitions_ahead from public;
