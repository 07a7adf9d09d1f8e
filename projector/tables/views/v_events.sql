-- Every event once, with its place in the log: attendances and all others. Whoever reads attendances anyway counts them there.
CREATE OR REPLACE VIEW v_events DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT campaign, type, received, partition, offset FROM v_attendance_events
UNION ALL
SELECT campaign, type, received, partition, offset FROM v_other_events
