-- Which transaction wrote a row that does not say so in a column of its own.

-- Without a search path of its own, so that it is inlined: a hundred calls cost what they would cost written out.
create function messaging.transaction_of(row_xmin xid) returns xid8
    language sql stable parallel safe
    return (
        pg_snapshot_xmax(pg_current_snapshot())::text::bigint
        - ((pg_snapshot_xmax(pg_current_snapshot())::text::bigint - row_xmin::text::bigint) & 4294967295)
    )::text::xid8;

comment on function messaging.transaction_of is 'The transaction of a row''s xmin, which has 32 bits: the newest one with these bits. Of a row that has not changed for four billion transactions that is too new.';

revoke execute on function messaging.transaction_of from public;
