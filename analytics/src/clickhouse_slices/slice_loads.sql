-- One row for each load that this server has whole; written after all of its rows.
-- MergeTree: rows are written once and never replaced. Key: loads are searched by campaign. Partition and TTL as for slice_attendance.
CREATE TABLE IF NOT EXISTS slice_loads
(
    `load` UUID COMMENT 'id of the load',
    `loaded` DateTime COMMENT 'when it was loaded',
    `campaign` String COMMENT 'id of the campaign',
    `warehouse` String COMMENT 'hash of the warehouse that the facts come from',
    `is_newest` Bool COMMENT 'whether these were the newest facts when they were loaded',
    `snapshot` String COMMENT 'id of the facts: campaign, offsets, as-of instant and definition',
    `server` UInt32 COMMENT 'place of this server among those that share the people',
    `servers` UInt32 COMMENT 'how many servers share them',
    `attendances` UInt64 COMMENT 'rows of slice_attendance on this server',
    `meetings` UInt64 COMMENT 'rows of slice_meetings on this server',
    `description` String COMMENT 'what queries need besides, as JSON; on the first server only'
)
ENGINE = MergeTree
PARTITION BY `load`
ORDER BY (`campaign`, `loaded`)
TTL `loaded` + INTERVAL 1 DAY
SETTINGS ttl_only_drop_parts = 1
