-- Events of meetings other than attendance, one row per event. Events of reversed imports are here: the fold takes them out.
CREATE OR REPLACE VIEW v_meeting_events AS
SELECT campaign, meeting_id, event_id, received, batch, type, body, partition, offset
FROM meeting_events FINAL
WHERE (campaign, meeting_id, event_id) NOT IN
(
    SELECT campaign, meeting_id, event_id FROM v_beaten_bodies WHERE stands_in = 'meeting_events'
)
