-- Who attended which meeting: the largest table.
-- Engine: ReplacingMergeTree, one row per event after merges; readers use FINAL through v_attendance_events.
-- Key: by meeting, the order in which coverage reads it, then by event id: the identity of the event. It does not contain the body, so FINAL
-- selects the winning body; this is faster than FINAL with LIMIT 1 BY over a longer key (measured on 10 M rows).
-- Version: ReplacingMergeTree keeps the row with the highest version, and the earliest received body must win. So `precedence` is
-- (received, bodyhash, offset) as one number with every bit inverted: the earlier, the higher. The offset only decides between two copies
-- of one event in the log, so that every replay keeps the same row.
-- TTL: none, because figures of earlier instants are computed from all events.
-- The person is stored as two numbers (the big-endian halves of the pseudonym), the format that readers use.
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
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
