-- One row for each attendance of an eligible person at a counted meeting, on the server that counts the person.
-- MergeTree: rows are written once and never replaced. The key begins with the meeting, because queries choose meetings; the people of one
-- meeting are then in ascending order, which compresses them and fills bitmaps quickly.
-- A partition is a load, so that dropping one drops files. TTL: who met whom is kept no longer than it is of use.
CREATE TABLE IF NOT EXISTS slice_attendance
(
    `load` UUID COMMENT 'the load that the row belongs to',
    `loaded` DateTime COMMENT 'when it was loaded',
    `meeting` UInt32 COMMENT 'number of the meeting',
    `person` UInt32 COMMENT 'number of the person on this server' CODEC(Delta, LZ4),
    `is_first` Bool COMMENT 'whether the person was reached first at this meeting',
    `residence` UInt32 COMMENT 'number of the value of the dimension, as in the next columns; the number of values if the person has none',
    `residence_unit` UInt32,
    `birth` UInt32,
    `sex` UInt32
)
ENGINE = MergeTree
PARTITION BY `load`
ORDER BY (`meeting`, `person`)
TTL `loaded` + INTERVAL 1 DAY
SETTINGS ttl_only_drop_parts = 1
