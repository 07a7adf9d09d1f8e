-- Attendances that a retraction of their own meeting names, where the retraction holds and its import stands. For v_attendance_events.
CREATE OR REPLACE VIEW v_retractions DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH (SELECT beaten FROM v_beaten_bodies) AS beaten
SELECT DISTINCT campaign, meeting_id, retracted_id
FROM attendance_retractions
WHERE (campaign, meeting_id, event_id, bodyhash) IN
(
    SELECT campaign, meeting_id, event_id, bodyhash
    FROM meeting_events FINAL
    WHERE type LIKE 'qamtu.attendance.retracted.v%'
      AND ('meeting_events', campaign, meeting_id, event_id) NOT IN (SELECT arrayJoin(beaten))
      AND (batch IS NULL OR (campaign, assumeNotNull(batch)) NOT IN (SELECT campaign, batch FROM v_reversed_batches))
)
