-- A lane remembers how far a difference too large for one read is published, for until its end the position stands still.

alter table messaging.lane
    add column part_since pg_snapshot,
    add column part_until pg_snapshot,
    add column part_id bigint
        constraint lane_part_id_not_negative check (part_id >= 0);

comment on column messaging.lane.part_since is 'The position that the part was written back with: beside another one it counts for nothing, for whoever moved settled does not know of it.';
comment on column messaging.lane.part_until is 'Where the difference ends that begins at settled and is read in pages.';
comment on column messaging.lane.part_id is 'Every row of that difference up to this id is confirmed by the broker.';
