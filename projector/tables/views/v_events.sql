-- Every event once, with its position in the log. A reader that streams all attendances anyway should count them there, and read the other
-- events from v_other_events.
CREATE OR REPLACE VIEW v_events DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT campaign, type, received, partition, offset FROM v_attendance_events
UNION ALL
SELECT campaign, type, received, partition, offset FROM v_other_events
