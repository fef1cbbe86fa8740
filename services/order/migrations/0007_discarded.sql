-- An order whose payment an operator gave up is cancelled for a reason of its own. Rows that are there obeyed a narrower
-- rule, so they need not be checked again.

alter table orders.orders
    drop constraint orders_reason_known,
    add constraint orders_reason_known
        check (reason in ('no_account', 'insufficient_funds', 'discarded')) not valid;

alter table orders.status_history
    drop constraint status_history_reason_known,
    add constraint status_history_reason_known
        check (reason in ('no_account', 'insufficient_funds', 'discarded')) not valid;
