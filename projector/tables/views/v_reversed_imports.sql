-- Imports that were taken back whole, and when that was received. For the other views, and for readers of an earlier state.
CREATE OR REPLACE VIEW v_reversed_imports DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH (SELECT beaten FROM v_beaten_bodies) AS beaten
SELECT campaign, toUUID(subject) AS import, received, partition, offset
FROM reference_events FINAL
WHERE type LIKE 'qamtu.import.reversed.v%'
  AND ('reference_events', campaign, '', event_id) NOT IN (SELECT arrayJoin(beaten))
