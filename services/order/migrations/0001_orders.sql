-- The orders themselves. A row is written once by intake and changed once by settlement (see status.rs).

create table orders.orders (
    id           uuid        not null,
    number       bigint      not null generated always as identity,
    user_id      bigint      not null,
    amount_minor bigint      not null,
    currency     text        not null,
    description  text        not null,
    status       text        not null,
    version      integer     not null,
    reason       text,
    trace_id     text        not null,
    created_at   timestamptz not null,
    decided_at   timestamptz,

    constraint orders_pkey primary key (id),
    constraint orders_number_key unique (number),
    constraint orders_user_id_positive check (user_id > 0),
    constraint orders_amount_positive check (amount_minor > 0),
    constraint orders_currency_known check (currency in ('RUB')),
    constraint orders_description_length check (char_length(description) between 1 and 500),
    constraint orders_status_known check (status in ('NEW', 'FINISHED', 'CANCELLED')),
    constraint orders_version_positive check (version > 0),
    constraint orders_reason_known check (reason in ('no_account', 'insufficient_funds')),
    constraint orders_reason_explains_cancellation check (reason is null or status = 'CANCELLED'),
    constraint orders_trace_id_form check (trace_id ~ '^[0-9a-f]{32}$'),
    constraint orders_decided_once_left_new check ((status = 'NEW') = (decided_at is null))
)
-- Every order is updated once, soon after it was inserted: room on its page keeps that update out of the indexes.
with (fillfactor = 80);

-- The list: one user's orders, newest first (ids are UUIDv7, so they sort by time), each page one index range.
create index orders_user_id_id_idx on orders.orders (user_id, id desc);

comment on table orders.orders is 'Orders: their contents never change, their status changes once, from NEW to FINISHED or CANCELLED.';
comment on column orders.orders.id is 'UUIDv7, given by the service; the key of every event about the order.';
comment on column orders.orders.number is 'The number people see. Not a key: it starts over when the table is restarted.';
comment on column orders.orders.user_id is 'The owner; row level security compares it with the setting gozon.user_id.';
comment on column orders.orders.amount_minor is 'The price in minor units of the currency (kopecks).';
comment on column orders.orders.version is 'Counts status changes from 1; a reader drops what is not newer than what it knows.';
comment on column orders.orders.reason is 'Why the order was cancelled; null otherwise.';
comment on column orders.orders.trace_id is 'The trace of the request that placed the order (W3C trace context), 32 hexadecimal digits.';
comment on column orders.orders.decided_at is 'When the order left NEW; null before.';

alter table orders.orders enable row level security;
