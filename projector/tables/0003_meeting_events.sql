-- Meeting events other than attendance: plans, moves, cancellations, reports, corrections, headcounts, questions, retractions.
-- Engine: ReplacingMergeTree, one row per event after merges; readers use FINAL through v_meeting_events.
-- Key: the identity of the event, and the events of a meeting are kept together. It does not contain the body, so FINAL selects the winning
-- body (the log copy keeps the losing ones, see v_conflicts).
-- Version: ReplacingMergeTree keeps the row with the highest version, and the earliest received body must win. So `precedence` is
-- (received, bodyhash, offset) as one number with every bit inverted: the earlier, the higher. The offset only decides between two copies
-- of one event in the log, so that every replay keeps the same row.
-- TTL: none, because figures of earlier instants are computed from all events.
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
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
