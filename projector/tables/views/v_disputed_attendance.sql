-- Event ids of which attendance keeps bodies of several meetings. Nearly always none. For v_beaten_attendance.
-- Attendance may have 50 million rows in the order of meetings, so it is not grouped by id. Its ids are thrown into 2^20 buckets; a
-- bucket that has more rows than different 16-bit fingerprints may hold an id twice (one that holds none is let in by chance), and
-- only the ids of such buckets are grouped. An id that stands twice always makes its bucket crowded, so none is missed.
-- Measured on two cores: 1.1 to 1.8 s for 10 million rows, where grouping by id takes as long and holds every id; memory some
-- 10 bytes for an attendance. While many rows stand twice before a merge, as after a replay, more ids are grouped.
CREATE OR REPLACE VIEW v_disputed_attendance DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH crowded AS
(
    SELECT cityHash64(event_id) % 1048576 AS bucket
    FROM attendance
    GROUP BY bucket
    HAVING count() > groupBitmap(toUInt16(bitShiftRight(cityHash64(event_id), 48)))
)
SELECT campaign, event_id
FROM attendance
WHERE cityHash64(event_id) % 1048576 IN (SELECT bucket FROM crowded)
GROUP BY campaign, event_id
HAVING min(cityHash64(meeting_id)) != max(cityHash64(meeting_id))
