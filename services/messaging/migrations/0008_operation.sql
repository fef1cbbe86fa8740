-- The operators' log: who changed what, and why, written in the transaction of the change.

create table messaging.operation (
    id bigint generated always as identity constraint operation_pkey primary key,
    at timestamptz not null default now(),
    who text not null constraint operation_who_length check (length(who) between 1 and 200),
    action text not null constraint operation_action_length check (length(action) between 1 and 100),
    parameters jsonb not null,
    affected bigint not null constraint operation_affected_not_negative check (affected >= 0),
    reason text constraint operation_reason_length check (length(reason) between 1 and 1000)
);

comment on table messaging.operation is 'What operators did, append-only: no role may change or delete a row.';
comment on column messaging.operation.who is 'The operator, as the identity provider names them.';
comment on column messaging.operation.action is 'What was done, as a dotted name: dead_letters.redrive.';
comment on column messaging.operation.parameters is 'What was asked for.';
comment on column messaging.operation.affected is 'How many rows it changed.';
comment on column messaging.operation.reason is 'Why, in the operator''s words, where the action asks for them.';
