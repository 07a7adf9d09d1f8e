-- Attendances named by a winning retraction of their own meeting whose import is not reversed. Used by v_attendance.
CREATE OR REPLACE VIEW v_retractions DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT DISTINCT campaign, meeting_id, retracted_id
FROM v_attendance_retractions
WHERE import IS NULL OR (campaign, assumeNotNull(import)) NOT IN (SELECT campaign, import FROM v_reversed_imports)
