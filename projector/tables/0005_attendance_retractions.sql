-- Which attendances a retraction names: one row per named event. The retraction itself is a row of meeting_events.
-- Engine: ReplacingMergeTree without a version: rows of one key are equal, because the key holds the body's hash.
-- Key: from the meeting to what was retracted; a retraction reaches attendances of its own meeting only, as in the fold.
-- TTL: none. Read by v_retractions, which takes only the retractions that hold.
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
