-- The log tells what became of a message from its first attempt on, and as whose it was published.

alter table messaging.publish_log
    add column epochs bigint[] not null default '{}',
    alter column confirmed_at drop not null;

comment on column messaging.publish_log.published_at is 'The first attempt; of an event that was parked, when it was.';
comment on column messaging.publish_log.confirmed_at is 'When the broker confirmed it; null for an event that was parked.';
comment on column messaging.publish_log.relay is 'The relay that published it.';
comment on column messaging.publish_log.lanes is 'The lanes of its events, owned by the relay at the last attempt.';
comment on column messaging.publish_log.epochs is 'For each of the lanes, the epoch under which the relay owned it. Empty in rows of older relays.';
comment on column messaging.publish_log.outcome is 'The broker''s answers from the first attempt to the last: confirmed, or for example returned 3 times, confirmed. Or parked and why: the event was never sent.';
