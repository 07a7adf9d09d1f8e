-- Event ids with several bodies of which at least one stands in another table than attendance. Nearly always none, since ingest refuses
-- them; within one key FINAL has already chosen. For v_beaten_bodies. Those within attendance are found by v_disputed_attendance,
-- which costs far more, so only the readers of attendance pay for it.
-- The other tables are small beside attendance, so their ids are held; of attendance one column is read.
CREATE OR REPLACE VIEW v_disputed DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH others AS
(
    SELECT campaign, event_id, cityHash64(meeting_id) AS place FROM meeting_events
    UNION ALL
    SELECT campaign, event_id, toUInt64(1) AS place FROM reference_events
    UNION ALL
    SELECT campaign, event_id, toUInt64(2) AS place FROM consents
    UNION ALL
    SELECT campaign, event_id, toUInt64(3) AS place FROM roll_versions
)
SELECT DISTINCT campaign, event_id
FROM attendance
WHERE event_id IN (SELECT event_id FROM others)
UNION ALL
SELECT campaign, event_id
FROM others
GROUP BY campaign, event_id
HAVING min(place) != max(place)
