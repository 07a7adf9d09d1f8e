-- Reference data, surveys and imports, one row per event. Reference data of a reversed import is included: it counts until an event with a
-- higher revision replaces it.
CREATE OR REPLACE VIEW v_reference_events DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT campaign, event_id, received, type, body, partition, offset
FROM reference_events FINAL
