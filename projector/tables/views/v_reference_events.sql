-- Reference data, surveys and imports, one row per event. A reversed import takes no reference data back: a higher revision does.
CREATE OR REPLACE VIEW v_reference_events DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH (SELECT beaten FROM v_beaten_bodies) AS beaten
SELECT campaign, event_id, received, type, body, partition, offset
FROM reference_events FINAL
WHERE ('reference_events', campaign, '', event_id) NOT IN (SELECT arrayJoin(beaten))
