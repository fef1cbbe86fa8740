-- An entry is written by the transaction that holds its account's row locked, and nobody may delete an account: the
-- foreign key looked every account up once more, with a lock of its own, for nothing. `gozon audit` compares the two.
alter table payments.ledger_entry drop constraint ledger_entry_account_id_fkey;
