-- The schema that results from all migrations. A test compares both; change this file with every migration.

CREATE TABLE IF NOT EXISTS schema_versions
(
    kind Enum8('table' = 1, 'view' = 2),
    number UInt32,
    name String,
    sha256 String,
    applied DateTime64(6) DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(applied)
ORDER BY (kind, number, name)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

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
    body String CODEC(ZSTD(3)),
    skipped UInt64 DEFAULT 0
)
ENGINE = ReplacingMergeTree
ORDER BY (topic, partition, offset)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS meeting_events
(
    topic LowCardinality(String),
    partition UInt32,
    offset UInt64,
    campaign LowCardinality(String),
    event_id UUID,
    type LowCardinality(String),
    bodyhash FixedString(16),
    received DateTime64(6),
    import Nullable(UUID),
    meeting_id LowCardinality(String),
    body String CODEC(ZSTD(3)),
    precedence UInt256 MATERIALIZED bitShiftLeft(toUInt256(bitNot(toUInt64(toUnixTimestamp64Micro(received)))), 192)
        + bitShiftLeft(toUInt256(bitNot(reinterpretAsUInt128(reverse(bodyhash)))), 64) + bitNot(offset)
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (campaign, meeting_id, event_id)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS attendance
(
    topic LowCardinality(String),
    partition UInt32,
    offset UInt64,
    campaign LowCardinality(String),
    event_id UUID,
    type LowCardinality(String),
    bodyhash FixedString(16),
    received DateTime64(6),
    import Nullable(UUID),
    meeting_id LowCardinality(String),
    occurred DateTime64(6),
    person_hi UInt64,
    person_lo UInt64,
    strength Enum8('strong' = 1, 'weak' = 2),
    residence_kind Enum8('unknown' = 1, 'outside' = 2, 'unit' = 3, 'precinct' = 4),
    residence LowCardinality(String),
    adult Enum8('unknown' = 1, 'yes' = 2, 'no' = 3),
    sheet String,
    line UInt32,
    precedence UInt256 MATERIALIZED bitShiftLeft(toUInt256(bitNot(toUInt64(toUnixTimestamp64Micro(received)))), 192)
        + bitShiftLeft(toUInt256(bitNot(reinterpretAsUInt128(reverse(bodyhash)))), 64) + bitNot(offset)
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (campaign, meeting_id, event_id)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS attendance_retractions
(
    campaign LowCardinality(String),
    meeting_id LowCardinality(String),
    retracted_id UUID,
    event_id UUID,
    bodyhash FixedString(16)
)
ENGINE = ReplacingMergeTree
ORDER BY (campaign, meeting_id, retracted_id, event_id, bodyhash)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS reference_events
(
    topic LowCardinality(String),
    partition UInt32,
    offset UInt64,
    campaign LowCardinality(String),
    event_id UUID,
    type LowCardinality(String),
    bodyhash FixedString(16),
    received DateTime64(6),
    import Nullable(UUID),
    subject String,
    body String CODEC(ZSTD(3)),
    precedence UInt256 MATERIALIZED bitShiftLeft(toUInt256(bitNot(toUInt64(toUnixTimestamp64Micro(received)))), 192)
        + bitShiftLeft(toUInt256(bitNot(reinterpretAsUInt128(reverse(bodyhash)))), 64) + bitNot(offset)
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (campaign, event_id)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS consents
(
    topic LowCardinality(String),
    partition UInt32,
    offset UInt64,
    campaign LowCardinality(String),
    event_id UUID,
    type LowCardinality(String),
    bodyhash FixedString(16),
    received DateTime64(6),
    import Nullable(UUID),
    person_hi UInt64,
    person_lo UInt64,
    kind Enum8('given' = 1, 'withdrawn' = 2),
    supersedes Array(UUID),
    precedence UInt256 MATERIALIZED bitShiftLeft(toUInt256(bitNot(toUInt64(toUnixTimestamp64Micro(received)))), 192)
        + bitShiftLeft(toUInt256(bitNot(reinterpretAsUInt128(reverse(bodyhash)))), 64) + bitNot(offset)
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (campaign, event_id)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS roll_versions
(
    topic LowCardinality(String),
    partition UInt32,
    offset UInt64,
    campaign LowCardinality(String),
    event_id UUID,
    type LowCardinality(String),
    bodyhash FixedString(16),
    received DateTime64(6),
    import Nullable(UUID),
    precinct LowCardinality(String),
    version UInt32,
    strength Enum8('strong' = 1, 'weak' = 2),
    voters UInt32,
    precedence UInt256 MATERIALIZED bitShiftLeft(toUInt256(bitNot(toUInt64(toUnixTimestamp64Micro(received)))), 192)
        + bitShiftLeft(toUInt256(bitNot(reinterpretAsUInt128(reverse(bodyhash)))), 64) + bitNot(offset)
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (campaign, event_id)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

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
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS insert_checks
(
    probe UUID,
    made DateTime DEFAULT now()
)
ENGINE = MergeTree
ORDER BY probe
TTL made + INTERVAL 1 DAY
SETTINGS non_replicated_deduplication_window = 10000;
