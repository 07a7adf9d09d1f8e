-- Reference data, surveys and imports, one row per event. A reversed import takes no reference data back: a higher revision does.
CREATE OR REPLACE VIEW v_reference_events AS
SELECT campaign, event_id, received, type, body, partition, offset
FROM reference_events FINAL
