-- References without effect: to an unknown event, to an event of another meeting or person, or to an event of a type that cannot be
-- referenced this way. The sender should send the reference again with the correct id.
CREATE OR REPLACE VIEW v_dangling_references DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT campaign, meeting_id, event_id, type, named, import, received, partition, offset
FROM v_references
WHERE resolved IS NULL
