-- Which attendances the retractions of their own meeting name: one row per retraction that holds and named attendance, with the time of
-- receipt and the import of the retraction. Retractions of reversed imports are here: who reads takes them out.
CREATE OR REPLACE VIEW v_attendance_retractions DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH (SELECT beaten FROM v_beaten_bodies) AS beaten
SELECT campaign, meeting_id, retracted_id, event_id, type, import, received, partition, offset
FROM
(
    SELECT DISTINCT campaign, meeting_id, retracted_id, event_id, bodyhash
    FROM attendance_retractions
) AS named
INNER JOIN
(
    SELECT campaign, meeting_id, event_id, bodyhash, type, import, received, partition, offset
    FROM meeting_events FINAL
    WHERE type LIKE 'qamtu.attendance.retracted.v%'
      AND ('meeting_events', campaign, meeting_id, event_id) NOT IN (SELECT arrayJoin(beaten))
) AS retractions USING (campaign, meeting_id, event_id, bodyhash)
