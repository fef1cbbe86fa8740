-- How each letter of a redrive ended is kept for a month, how many ended how for as long as the operators' log.

create table messaging.redrive_ended (
    request_id uuid not null,
    outcome text not null
        constraint redrive_ended_outcome_known check (outcome in ('settled', 'died_again', 'cancelled', 'discarded')),
    letters bigint not null constraint redrive_ended_letters_positive check (letters > 0),
    constraint redrive_ended_pkey primary key (request_id, outcome)
);

comment on table messaging.redrive_ended is 'How many marks of a redrive ended how, of those that are in messaging.redrive_end no more. Kept as long as messaging.operation, which tells of it.';

comment on table messaging.redrive_end is 'How each mark of a redrive ended, written in the transaction that ended it; kept for a month and then counted in messaging.redrive_ended.';

create index redrive_end_at_idx on messaging.redrive_end (at);

create function messaging.forget_redrive_ends(at_most integer) returns bigint
    language plpgsql
    security definer
    set search_path = pg_catalog
    set lock_timeout = '50ms'
as $$
declare
    forgotten bigint;
begin
    -- One at a time: two would wait for each other's counts. Whoever comes second has nothing to do.
    if not pg_try_advisory_xact_lock(hashtext('messaging.forget_redrive_ends')) then
        return 0;
    end if;
    with old as (
        delete from messaging.redrive_end
        where ctid = any (array(
            select ctid from messaging.redrive_end
            where at < now() - interval '30 days'
            limit at_most
            for update skip locked
        ))
        returning request_id, outcome
    ),
    counted as (
        insert into messaging.redrive_ended as ended (request_id, outcome, letters)
        select request_id, outcome, count(*) from old
        group by request_id, outcome
        on conflict (request_id, outcome) do update set letters = ended.letters + excluded.letters
    )
    select count(*) into forgotten from old;
    return forgotten;
end
$$;

comment on function messaging.forget_redrive_ends is 'Deletes up to so many ends of marks that are a month old, and adds them to those counted; says how many.';

revoke execute on function messaging.forget_redrive_ends from public;
