-- The decision on an order, written with every decision, declines included: whoever asks again, under any message
-- id, gets the answer that stands here.
create table payments.payment (
    order_id uuid constraint payment_pkey primary key,
    user_id bigint not null
        constraint payment_user_id_positive check (user_id > 0),
    amount_minor bigint not null
        constraint payment_amount_positive check (amount_minor > 0),
    currency text not null
        constraint payment_currency_known check (currency in ('RUB')),
    outcome text not null
        constraint payment_outcome_known check (outcome in ('CAPTURED', 'DECLINED')),
    reason text
        constraint payment_reason_known check (reason in ('no_account', 'insufficient_funds')),
    received_at timestamptz not null,
    decided_at timestamptz not null,
    constraint payment_reason_if_declined check ((outcome = 'DECLINED') = (reason is not null))
);

comment on table payments.payment is 'One decision per order, for good; its primary key is what makes a second one impossible.';
comment on column payments.payment.order_id is 'The order service''s id of the order.';
comment on column payments.payment.user_id is 'Who was to pay; may have no account.';
comment on column payments.payment.amount_minor is 'What was asked for, in minor units.';
comment on column payments.payment.outcome is 'CAPTURED (paid) or DECLINED.';
comment on column payments.payment.reason is 'Why it was declined.';
comment on column payments.payment.received_at is 'When the request that was decided arrived.';
comment on column payments.payment.decided_at is 'When it was decided, by the clock of the deciding process.';

alter table payments.payment enable row level security;
