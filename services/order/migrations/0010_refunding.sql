-- An owner may give a paid order up: it is REFUNDING until the payment service has given the money back, and then
-- CANCELLED for a reason of its own. Rows that are there obeyed narrower rules, so they need not be checked again.

alter table orders.orders
    drop constraint orders_status_known,
    add constraint orders_status_known
        check (status in ('NEW', 'FINISHED', 'REFUNDING', 'CANCELLED')) not valid,
    drop constraint orders_reason_known,
    add constraint orders_reason_known
        check (reason in ('no_account', 'insufficient_funds', 'discarded', 'refunded')) not valid;

alter table orders.status_history
    drop constraint status_history_status_known,
    add constraint status_history_status_known
        check (status in ('NEW', 'FINISHED', 'REFUNDING', 'CANCELLED')) not valid,
    drop constraint status_history_reason_known,
    add constraint status_history_reason_known
        check (reason in ('no_account', 'insufficient_funds', 'discarded', 'refunded')) not valid;

comment on table orders.orders is 'Orders: their contents never change, their status changes: from NEW to FINISHED or CANCELLED, and from FINISHED over REFUNDING to CANCELLED.';
comment on column orders.status_history.payment_decided_at is 'When the payment service decided, or gave the money back, as its answer says; null for NEW and REFUNDING.';

-- The reconciler's second walk: orders that became REFUNDING, in the order in which they did. Only they are in it, so no
-- other change of a status pays for it; an index on the orders themselves would cost every order its HOT update.
create index status_history_refunding_idx on orders.status_history (at, order_id) where status = 'REFUNDING';

alter table orders.reconciler
    add column refund_mark_at timestamptz not null default '1970-01-01 00:00:00+00',
    add column refund_mark_order_id uuid not null default '00000000-0000-0000-0000-000000000000';

comment on column orders.reconciler.refund_mark_at is 'Every order that became REFUNDING up to this instant, and up to the id beside it, is refunded or in orders.stuck.';

-- An order may be stuck twice: NEW and, after it was paid, REFUNDING.
alter table orders.stuck
    add column status text not null default 'NEW'
        constraint stuck_status_known check (status in ('NEW', 'REFUNDING'));

comment on table orders.stuck is 'Orders that were NEW or REFUNDING for too long, until they are not. No foreign key: whoever deletes an order need not know of this table.';
comment on column orders.stuck.status is 'The status it is stuck in.';
comment on column orders.stuck.since is 'When it took that status.';

alter table orders.repeated_request
    add column status text not null default 'NEW'
        constraint repeated_request_status_known check (status in ('NEW', 'REFUNDING')),
    drop constraint repeated_request_pkey,
    add constraint repeated_request_pkey primary key (order_id, status, attempt);

comment on table orders.repeated_request is 'Every request for payment or refund that the reconciler appended again, append-only: part of the order''s timeline.';
comment on column orders.repeated_request.status is 'The status the order was stuck in: NEW for a request for payment, REFUNDING for one for a refund.';
