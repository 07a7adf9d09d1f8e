-- The life of meetings: plans, moves, cancellations, reports, corrections, headcounts, questions, retractions; all but attendance.
-- Engine: ReplacingMergeTree, one row per event once merged; readers use FINAL through v_meeting_events.
-- Key: a meeting's events lie together. The body is not part of the key, so FINAL alone finds the body that holds among those of one
-- meeting (the others are kept in the log copy, see v_conflicts). A body of the same id that names another meeting, or stands in
-- another table, is found by v_beaten_bodies.
-- Version: ReplacingMergeTree keeps the row with the highest version, and the earliest event must hold. So `precedence` is
-- (received, bodyhash, offset) as one number with every bit turned over: the earlier, the higher. The offset only decides between
-- two copies of one event in the log, so that the row which stays is the same after any replay.
-- TTL: none. Read by v_meeting_events, v_disputed, v_beaten_bodies, v_retractions.
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
