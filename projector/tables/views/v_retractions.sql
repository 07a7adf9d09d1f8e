-- Attendances that a retraction of their own meeting names, where the retraction holds and its import stands. For v_attendance.
CREATE OR REPLACE VIEW v_retractions DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT DISTINCT campaign, meeting_id, retracted_id
FROM v_attendance_retractions
WHERE import IS NULL OR (campaign, assumeNotNull(import)) NOT IN (SELECT campaign, import FROM v_reversed_imports)
