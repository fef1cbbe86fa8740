-- Every status an order ever had, append-only: the timeline of an order, and the log that push tails (push/tail.rs).
--
-- No foreign key to orders.orders: a row is written in the statement that inserts its order, or under that order's row
-- lock by the statement that changes it, and nobody may delete either. A key would look every order up once more.

create table orders.status_history (
    -- Before the identity column, because defaults are taken in column order: a row's transaction has its id before the
    -- row has its own, so whoever sees a snapshot without that transaction also knows that the row is still to come.
    xid                 xid8        not null default pg_current_xact_id(),
    id                  bigint      not null generated always as identity,
    order_id            uuid        not null,
    user_id             bigint      not null,
    version             integer     not null,
    status              text        not null,
    reason              text,
    at                  timestamptz not null,
    payment_received_at timestamptz,
    payment_decided_at  timestamptz,

    constraint status_history_pkey primary key (id),
    -- The timeline of an order reads this index; and no version of an order exists twice.
    constraint status_history_order_id_version_key unique (order_id, version),
    constraint status_history_user_id_positive check (user_id > 0),
    constraint status_history_version_positive check (version > 0),
    constraint status_history_status_known check (status in ('NEW', 'FINISHED', 'CANCELLED')),
    constraint status_history_reason_known check (reason in ('no_account', 'insufficient_funds')),
    constraint status_history_reason_explains_cancellation check (reason is null or status = 'CANCELLED')
);

-- The tail: what became visible between two snapshots, over all users.
create index status_history_xid_idx on orders.status_history (xid);

-- The resume of a socket: what became visible to one user since a snapshot, however much the others did meanwhile.
create index status_history_user_id_xid_idx on orders.status_history (user_id, xid);

comment on table orders.status_history is 'Every status an order ever had, one row per version; insert and select are the only rights anybody has.';
comment on column orders.status_history.xid is 'The transaction that wrote the row; the tail reads by the difference of two snapshots.';
comment on column orders.status_history.version is 'The order''s version with this status.';
comment on column orders.status_history.at is 'When the order got this status.';
comment on column orders.status_history.payment_received_at is 'When the payment service took the request up, as its answer says; null for NEW.';
comment on column orders.status_history.payment_decided_at is 'When the payment service decided, as its answer says; null for NEW.';

alter table orders.status_history enable row level security;
