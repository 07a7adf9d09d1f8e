-- Attendances that a retraction of their own meeting names, where the retraction holds and its import stands. For v_attendance.
CREATE OR REPLACE VIEW v_retractions DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT DISTINCT campaign, meeting_id, retracted_id
FROM v_attendance_retractions
WHERE batch IS NULL OR (campaign, assumeNotNull(batch)) NOT IN (SELECT campaign, batch FROM v_reversed_batches)
