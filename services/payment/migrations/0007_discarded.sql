-- A payment that an operator gave up is declined for a reason of its own. Rows that are there obeyed a narrower rule, so
-- they need not be checked again.

alter table payments.payment
    drop constraint payment_reason_known,
    add constraint payment_reason_known
        check (reason in ('no_account', 'insufficient_funds', 'discarded')) not valid;
