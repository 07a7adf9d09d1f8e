-- One row for a plan, one for a report and one for a meeting with neither, as in the frame of a facts store; on every server.
-- MergeTree: rows are written once and never replaced. Every query reads all rows of a load, which are few, so the key only has to join.
-- Partition and TTL as for slice_attendance.
CREATE TABLE IF NOT EXISTS slice_meetings
(
    `load` UUID COMMENT 'the load that the row belongs to',
    `loaded` DateTime COMMENT 'when it was loaded',
    `meeting` UInt32 COMMENT 'number of the counted meeting; 4294967295 in other rows',
    `dimensions` Array(Array(UInt32)) COMMENT 'numbers of the values of each dimension of meetings',
    `sums` Array(UInt32) COMMENT 'every figure that may be added up',
    `eligible_minimum` UInt32 COMMENT 'eligible people who were there at least'
)
ENGINE = MergeTree
PARTITION BY `load`
ORDER BY `meeting`
TTL `loaded` + INTERVAL 1 DAY
SETTINGS ttl_only_drop_parts = 1
