-- Every event except attendances once, with its position in the log, to count the events below given offsets. The type of an event decides
-- its topic, so there is no column for it. Retracted, reversed and withdrawn events are included.
CREATE OR REPLACE VIEW v_other_events DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT campaign, type, received, partition, offset FROM v_meeting_events
UNION ALL
SELECT campaign, type, received, partition, offset FROM v_reference_events
UNION ALL
SELECT campaign, type, received, partition, offset FROM v_consents
UNION ALL
SELECT campaign, type, received, partition, offset FROM v_roll_versions
