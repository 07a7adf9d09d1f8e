-- Meeting events other than attendance, one row per event. Events of reversed imports are included.
CREATE OR REPLACE VIEW v_meeting_events DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT campaign, meeting_id, event_id, received, import, type, body, partition, offset
FROM meeting_events FINAL
