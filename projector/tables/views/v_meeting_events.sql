-- Events of meetings other than attendance, one row per event. Events of reversed imports are here: the fold takes them out.
CREATE OR REPLACE VIEW v_meeting_events DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH (SELECT beaten FROM v_beaten_bodies) AS beaten
SELECT campaign, meeting_id, event_id, received, import, type, body, partition, offset
FROM meeting_events FINAL
WHERE ('meeting_events', campaign, meeting_id, event_id) NOT IN (SELECT arrayJoin(beaten))
