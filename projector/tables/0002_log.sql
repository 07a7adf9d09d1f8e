-- The log copy: every consumed record, poison too, and the receipt of the projector.
-- A row stands here only after all rows of the same record stand in the tables of facts, because it is inserted last.
-- Engine: ReplacingMergeTree without a version: a record that was projected again takes the place of the earlier row.
-- No PARTITION BY: one insert is one part, so it is there whole or not at all.
-- Key: the place in the log. That makes the gap check a walk along the key, and a range of offsets a cheap read.
-- Window: as many inserts as this may lie between an insert and its repetition for the token to be recognised; beyond that the
-- key still collapses them. fsync: a receipt that a power cut can take back would be no receipt.
-- TTL: none, older states of a campaign are answered from here. Read by v_watermark, v_rejected, v_conflicts and the projector.
CREATE TABLE IF NOT EXISTS log
(
    topic LowCardinality(String),
    partition UInt32,
    offset UInt64 CODEC(Delta, LZ4),
    appended DateTime64(3) CODEC(Delta, LZ4),
    status Enum8('event' = 1, 'rejected' = 2),
    reason LowCardinality(String),
    event_id UUID,
    type LowCardinality(String),
    campaign LowCardinality(String),
    received DateTime64(6) CODEC(Delta, LZ4),
    bodyhash FixedString(16),
    body String CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree
ORDER BY (topic, partition, offset)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
