-- The voters of each version of a precinct's roll. Log positions and times are stored once, in roll_versions.
-- Engine: ReplacingMergeTree without a version: rows with the same key are equal, because the key contains the hash of the body, and a
-- person who is listed twice in one body is projected once.
-- Key: by precinct, the order in which the roll is read.
-- TTL: none, because figures of earlier instants use earlier versions.
CREATE TABLE IF NOT EXISTS roll
(
    campaign LowCardinality(String),
    precinct LowCardinality(String),
    version UInt32,
    event_id UUID,
    bodyhash FixedString(16),
    person_hi UInt64,
    person_lo UInt64,
    birth_band UInt16,
    sex Enum8('f' = 1, 'm' = 2, 'u' = 3)
)
ENGINE = ReplacingMergeTree
ORDER BY (campaign, precinct, version, event_id, bodyhash, person_hi, person_lo)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
