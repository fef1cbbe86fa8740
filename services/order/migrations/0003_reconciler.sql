-- What the reconciler knows (reconcile.rs): how far it has walked the orders, which of them are stuck, what it did.
--
-- There is no index on undecided orders: it would make the one update that every order gets a non-HOT update.

create table orders.reconciler (
    one         boolean     not null default true,
    holder      uuid,
    lease_until timestamptz,
    mark        uuid        not null default '00000000-0000-0000-0000-000000000000',

    constraint reconciler_pkey primary key (one),
    constraint reconciler_is_one_row check (one),
    constraint reconciler_holder_has_lease check ((holder is null) = (lease_until is null))
)
with (fillfactor = 10);

comment on table orders.reconciler is 'One row, made by the first reconciler: whose turn it is, and how far the orders are walked.';
comment on column orders.reconciler.holder is 'The process that reconciles, by a name of its own; every other one waits until the lease ends.';
comment on column orders.reconciler.mark is 'Every order up to this id is decided or in orders.stuck. Ids are UUIDv7, so they sort by time.';

create table orders.stuck (
    order_id        uuid        not null,
    since           timestamptz not null,
    attempts        integer     not null default 0,
    requested_at    timestamptz not null,
    next_attempt_at timestamptz,

    constraint stuck_pkey primary key (order_id),
    constraint stuck_attempts_not_negative check (attempts >= 0)
);

create index stuck_next_attempt_at_idx on orders.stuck (next_attempt_at);

comment on table orders.stuck is 'Orders that were NEW for too long, until they are decided. No foreign key: whoever deletes an order need not know of this table.';
comment on column orders.stuck.since is 'When the order was placed.';
comment on column orders.stuck.attempts is 'How often its request was appended to the outbox again.';
comment on column orders.stuck.requested_at is 'When the order was found, or its request was last appended again: not again before the outbox is published up to here.';
comment on column orders.stuck.next_attempt_at is 'Not again before this instant; null after the last attempt.';

create table orders.repeated_request (
    order_id uuid        not null,
    attempt  integer     not null,
    user_id  bigint      not null,
    event_id uuid        not null,
    at       timestamptz not null,
    why      text        not null,

    -- No attempt is made twice, whatever two reconcilers believe.
    constraint repeated_request_pkey primary key (order_id, attempt),
    constraint repeated_request_attempt_positive check (attempt > 0),
    constraint repeated_request_user_id_positive check (user_id > 0)
);

comment on table orders.repeated_request is 'Every request for payment that the reconciler appended again, append-only: part of the order''s timeline.';
comment on column orders.repeated_request.user_id is 'The owner; row level security compares it with the setting gozon.user_id.';
comment on column orders.repeated_request.event_id is 'The event it was appended as; a new one each time.';
comment on column orders.repeated_request.why is 'What the reconciler saw, as a sentence.';

alter table orders.repeated_request enable row level security;
