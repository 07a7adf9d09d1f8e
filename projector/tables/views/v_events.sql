-- Every event once, with its place in the log, for counts below given offsets. The partition is one of the topic of the type.
-- Retracted, reversed and withdrawn ones are events too.
-- From the tables of facts: they are sorted by event, so nothing has to be held in memory.
CREATE OR REPLACE VIEW v_events AS
WITH (SELECT beaten FROM v_beaten_bodies) AS beaten
SELECT campaign, type, received, partition, offset
FROM attendance FINAL
WHERE ('attendance', campaign, meeting_id, event_id) NOT IN (SELECT arrayJoin(beaten))
UNION ALL
SELECT campaign, type, received, partition, offset FROM v_meeting_events
UNION ALL
SELECT campaign, type, received, partition, offset FROM v_reference_events
UNION ALL
SELECT campaign, type, received, partition, offset
FROM consents FINAL
WHERE ('consents', campaign, '', event_id) NOT IN (SELECT arrayJoin(beaten))
UNION ALL
SELECT campaign, type, received, partition, offset FROM v_roll_versions
