-- A lane remembers its owner's connection to the broker, and an id below which nothing is left to publish.

-- A lane that is released cleanly has no fence; one whose owner vanished keeps it, and its heir asks the broker.
alter table messaging.lane
    add column fence text,
    add column settled_id bigint not null default 0
        constraint lane_settled_id_not_negative check (settled_id >= 0);

comment on column messaging.lane.fence is 'The exclusive queue of the connection that publishes the lane: while the broker has it, that connection may still write.';
comment on column messaging.lane.settled_id is 'Every row with an id up to this one is seen by settled: where reading by id begins, and what retention may drop.';
