-- Attendances named by retractions: one row per named event. The retraction itself is a row of meeting_events, and readers use only the rows
-- of its winning body.
-- Engine: ReplacingMergeTree without a version: rows with the same key are equal, because the key contains the hash of the body.
-- Key: from the meeting to the retracted event. A retraction applies only to attendances of its own meeting, as in the contract's fold.
-- TTL: none, because figures of earlier instants are computed from all events.
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
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
