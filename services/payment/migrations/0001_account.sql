-- An account: what a user can spend. One per user, never deleted, never below zero.
create table payments.account (
    id uuid constraint account_pkey primary key,
    user_id bigint not null
        constraint account_user_id_key unique
        constraint account_user_id_positive check (user_id > 0),
    balance_minor bigint not null default 0
        constraint account_balance_not_negative check (balance_minor >= 0),
    currency text not null
        constraint account_currency_known check (currency in ('RUB')),
    created_at timestamptz not null default clock_timestamp()
)
-- A balance changes with every payment and no index holds it: room in the page keeps each change on its page (HOT).
with (fillfactor = 70);

comment on table payments.account is 'What a user can spend; one per user. Its balance is the sum of its ledger entries.';
comment on column payments.account.id is 'UUIDv7.';
comment on column payments.account.user_id is 'Whose account; the identity provider''s number.';
comment on column payments.account.balance_minor is 'Minor units; changed only together with a ledger entry.';
comment on column payments.account.currency is 'ISO 4217 code.';

alter table payments.account enable row level security;
