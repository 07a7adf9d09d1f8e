-- Attendances named by retractions of their own meeting: one row per winning retraction and named attendance, with the receive time and
-- the import of the retraction. Retractions of reversed imports are included; the reader must exclude them.
CREATE OR REPLACE VIEW v_attendance_retractions DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
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
) AS retractions USING (campaign, meeting_id, event_id, bodyhash)
