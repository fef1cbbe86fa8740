-- What the other version has besides (`order::schema`): a column that this one does not know. Its number is far from those that
-- are yet to come.
alter table orders.orders add column gift_note text;
