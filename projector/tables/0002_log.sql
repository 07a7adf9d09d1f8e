-- The log copy: one row per consumed record, invalid records included.
-- A row is inserted after all fact rows of the same record, so it proves that they are stored.
-- Engine: ReplacingMergeTree without a version: if a record is projected again, its new row replaces the earlier one.
-- No PARTITION BY: one insert is one part, which makes it atomic.
-- Key: the position in the log. The search for missing rows and reads of a range of offsets follow the key.
-- Deduplication window: number of inserts after which a token is forgotten. Later duplicates still collapse by key.
-- fsync: an acknowledged row survives a power failure.
-- TTL: none, because a missing row counts as lost, and lost fact rows are restored from this table.
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
