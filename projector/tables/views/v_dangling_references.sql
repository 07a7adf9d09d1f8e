-- References that have no effect: they name no event at all, one of another meeting or person, or one of a kind that cannot be named so.
-- Somebody should send the reference again with the right id.
CREATE OR REPLACE VIEW v_dangling_references DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT campaign, meeting_id, event_id, type, named, import, received, partition, offset
FROM v_references
WHERE resolved IS NULL
