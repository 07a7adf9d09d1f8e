-- Attendances that a retraction of their own meeting names, where the retraction holds and its import stands. For v_attendance.
CREATE OR REPLACE VIEW v_retractions AS
SELECT DISTINCT campaign, meeting_id, retracted_id
FROM attendance_retractions
WHERE (campaign, meeting_id, event_id, bodyhash) IN
(
    SELECT campaign, meeting_id, event_id, bodyhash
    FROM meeting_events FINAL
    WHERE type LIKE 'qamtu.attendance.retracted.v%'
      AND (campaign, meeting_id, event_id) NOT IN
      (
          SELECT campaign, meeting_id, event_id FROM v_beaten_bodies WHERE stands_in = 'meeting_events'
      )
      AND (batch IS NULL OR (campaign, assumeNotNull(batch)) NOT IN (SELECT campaign, batch FROM v_reversed_batches))
)
