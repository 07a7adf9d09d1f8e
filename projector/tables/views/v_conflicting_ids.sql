-- Event ids that have bodies with different keys, so that FINAL cannot select one, and of which at least one body is in another table than
-- attendance. Nearly always empty, because ingest rejects a second body. Used by v_losing_bodies. Ids with bodies for several meetings within
-- attendance are in v_conflicting_attendance_ids, which costs far more, so only readers of attendance use it.
-- The ids of the other tables are kept in memory, as these tables are small compared to attendance; of attendance one column is read.
CREATE OR REPLACE VIEW v_conflicting_ids DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH others AS
(
    SELECT campaign, event_id, cityHash64(meeting_id) AS location FROM meeting_events
    UNION ALL
    SELECT campaign, event_id, toUInt64(1) AS location FROM reference_events
    UNION ALL
    SELECT campaign, event_id, toUInt64(2) AS location FROM consents
    UNION ALL
    SELECT campaign, event_id, toUInt64(3) AS location FROM roll_versions
)
SELECT DISTINCT campaign, event_id
FROM attendance
WHERE event_id IN (SELECT event_id FROM others)
UNION ALL
SELECT campaign, event_id
FROM others
GROUP BY campaign, event_id
HAVING min(location) != max(location)
