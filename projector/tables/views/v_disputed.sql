-- Event ids of which the tables of facts keep several bodies: of two meetings, or in two tables. Nearly always none, since ingest
-- refuses them; within one key FINAL has already chosen. For v_beaten_bodies.
-- Attendance may have 50 million rows in the order of meetings, so it is not grouped by id. Its ids are thrown into 2^20 buckets; a
-- bucket that has more rows than different 16-bit fingerprints may hold an id twice (one that holds none is let in by chance), and
-- only the ids of such buckets are grouped. An id that stands twice always makes its bucket crowded, so none is missed.
-- Expected at 50 million, not measured: three reads of the column event_id (0.8 GB each) and half a gigabyte of memory, about
-- 10 bytes for an attendance; a fiftieth of the ids is grouped. While many rows stand twice before a merge, as after a replay, more
-- are. The other tables are far smaller, their ids are held.
CREATE OR REPLACE VIEW v_disputed AS
WITH
    others AS
    (
        SELECT campaign, event_id, cityHash64(meeting_id) AS place FROM meeting_events
        UNION ALL
        SELECT campaign, event_id, toUInt64(1) AS place FROM reference_events
        UNION ALL
        SELECT campaign, event_id, toUInt64(2) AS place FROM consents
        UNION ALL
        SELECT campaign, event_id, toUInt64(3) AS place FROM roll_versions
    ),
    crowded AS
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
UNION ALL
SELECT DISTINCT campaign, event_id
FROM attendance
WHERE event_id IN (SELECT event_id FROM others)
UNION ALL
SELECT campaign, event_id
FROM others
GROUP BY campaign, event_id
HAVING min(place) != max(place)
