-- Event ids with bodies for several meetings in attendance. Nearly always empty. Used by v_losing_attendance.
-- Attendance may have 50 million rows sorted by meeting, so grouping by id is expensive. Instead the ids are hashed into 2^20 buckets. A
-- bucket with more rows than distinct 16-bit fingerprints may contain an id twice (or a hash collision), and only the ids of such buckets
-- are grouped. Two rows with the same id always have the same fingerprint, so no id is missed.
-- Measured on two cores: 1.1 to 1.8 s for 10 million rows. Grouping by id takes as long and keeps every id in memory; this view needs about
-- 10 bytes per attendance. Before a merge, such as after a replay, more ids are grouped.
CREATE OR REPLACE VIEW v_conflicting_attendance_ids DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH collisions AS
(
    SELECT cityHash64(event_id) % 1048576 AS bucket
    FROM attendance
    GROUP BY bucket
    HAVING count() > groupBitmap(toUInt16(bitShiftRight(cityHash64(event_id), 48)))
)
SELECT campaign, event_id
FROM attendance
WHERE cityHash64(event_id) % 1048576 IN (SELECT bucket FROM collisions)
GROUP BY campaign, event_id
HAVING min(cityHash64(meeting_id)) != max(cityHash64(meeting_id))
