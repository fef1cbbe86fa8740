-- What the last whole pass of the ledger check found, so that any replica can say it.

create table payments.ledger_check (
    one boolean not null default true,
    completed_at timestamptz not null,
    accounts bigint not null,
    drifting_accounts bigint not null,
    drift_minor bigint not null,

    constraint ledger_check_pkey primary key (one),
    constraint ledger_check_is_one_row check (one)
)
with (fillfactor = 10);

comment on table payments.ledger_check is 'One row, made by the first pass: what the last one over all accounts found.';
comment on column payments.ledger_check.accounts is 'How many accounts were compared.';
comment on column payments.ledger_check.drifting_accounts is 'Accounts whose balance is not the sum of their entries: never any.';
comment on column payments.ledger_check.drift_minor is 'By how much, in minor units, summed up without signs.';
