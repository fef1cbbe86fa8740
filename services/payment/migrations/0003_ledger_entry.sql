-- The ledger: one row for every change of a balance. Append-only: nobody is granted update or delete.
create table payments.ledger_entry (
    id uuid constraint ledger_entry_pkey primary key,
    number bigint generated always as identity,
    account_id uuid not null
        constraint ledger_entry_account_id_fkey references payments.account (id),
    order_id uuid,
    kind text not null
        constraint ledger_entry_kind_known check (kind in ('TOP_UP', 'PAYMENT')),
    amount_minor bigint not null,
    balance_after_minor bigint not null
        constraint ledger_entry_balance_after_not_negative check (balance_after_minor >= 0),
    created_at timestamptz not null default clock_timestamp(),
    constraint ledger_entry_sign_fits_kind check (
        case kind when 'TOP_UP' then amount_minor > 0 when 'PAYMENT' then amount_minor < 0 end
    ),
    constraint ledger_entry_order_fits_kind check ((kind = 'TOP_UP') = (order_id is null))
);

-- At most one debit per order, whatever else fails.
create unique index ledger_entry_order_id_kind_key on payments.ledger_entry (order_id, kind)
    where order_id is not null;

-- The account's own list, newest first.
create unique index ledger_entry_account_id_number_key on payments.ledger_entry (account_id, number);

comment on table payments.ledger_entry is 'Every change of a balance; append-only. An account''s balance is the sum of its entries.';
comment on column payments.ledger_entry.id is 'UUIDv7.';
comment on column payments.ledger_entry.number is
    'Taken while the account is locked, so within an account it is the order of the changes; between accounts it means nothing.';
comment on column payments.ledger_entry.order_id is 'The order that was paid; null for a top-up.';
comment on column payments.ledger_entry.kind is 'TOP_UP (positive) or PAYMENT (negative).';
comment on column payments.ledger_entry.amount_minor is 'By how much the balance changed, signed, in the account''s currency.';
comment on column payments.ledger_entry.balance_after_minor is 'The balance this change left.';

alter table payments.ledger_entry enable row level security;
