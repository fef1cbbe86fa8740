-- The last hop of an order's way: which changes were told to open sockets.

create table orders.push_log (
    written_at timestamptz not null default now(),
    replica text not null,
    first_order uuid not null,
    last_order uuid not null,
    order_ids uuid[] not null,
    versions integer[] not null,
    pushed_at timestamptz[] not null,
    sockets integer[] not null,
    constraint push_log_as_many_of_each check (cardinality(order_ids) > 0
        and cardinality(versions) = cardinality(order_ids)
        and cardinality(pushed_at) = cardinality(order_ids)
        and cardinality(sockets) = cardinality(order_ids))
);

-- Orders are told soon after they are placed, so a few blocks hold all rows that could have one.
create index push_log_orders_idx on orders.push_log using brin (first_order, last_order) with (pages_per_range = 16);
create index push_log_written_at_idx on orders.push_log using brin (written_at) with (pages_per_range = 16);

comment on table orders.push_log is 'What each replica told its sockets, a row for some hundred milliseconds: the last of it before a kill may be missing. Kept for three days.';
comment on column orders.push_log.replica is 'The process that told it.';
comment on column orders.push_log.first_order is 'The smallest order id in it, as last_order is the largest.';
comment on column orders.push_log.order_ids is 'The orders; the other arrays have an entry for each.';
comment on column orders.push_log.versions is 'The version that was told.';
comment on column orders.push_log.pushed_at is 'When the first socket took it.';
comment on column orders.push_log.sockets is 'How many sockets took it.';
