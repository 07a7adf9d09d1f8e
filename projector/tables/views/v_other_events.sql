-- Every event but attendances once, with its place in the log, for counts below given offsets. The partition is one of the topic of the
-- type. Retracted, reversed and withdrawn ones are events too.
CREATE OR REPLACE VIEW v_other_events DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT campaign, type, received, partition, offset FROM v_meeting_events
UNION ALL
SELECT campaign, type, received, partition, offset FROM v_reference_events
UNION ALL
SELECT campaign, type, received, partition, offset FROM v_consents
UNION ALL
SELECT campaign, type, received, partition, offset FROM v_roll_versions
