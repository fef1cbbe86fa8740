-- A refund gives back what an order's payment took, all of it: a compensating entry. The unique index on order and kind
-- allows one per order. Rows that are there obeyed narrower rules, so they need not be checked again.

alter table payments.ledger_entry
    drop constraint ledger_entry_kind_known,
    add constraint ledger_entry_kind_known check (kind in ('TOP_UP', 'PAYMENT', 'REFUND')) not valid,
    drop constraint ledger_entry_sign_fits_kind,
    add constraint ledger_entry_sign_fits_kind check (
        case kind
            when 'TOP_UP' then amount_minor > 0
            when 'PAYMENT' then amount_minor < 0
            when 'REFUND' then amount_minor > 0
        end
    ) not valid;

comment on column payments.ledger_entry.order_id is 'The order that was paid or refunded; null for a top-up.';
comment on column payments.ledger_entry.kind is 'TOP_UP (positive), PAYMENT (negative) or REFUND (positive).';
