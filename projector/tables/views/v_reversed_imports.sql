-- Reversed imports and the receive time of the reversal. Used by the other views and by readers of an earlier state.
CREATE OR REPLACE VIEW v_reversed_imports DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH (SELECT losing FROM v_losing_bodies) AS losing
SELECT campaign, toUUID(subject) AS import, received, partition, offset
FROM reference_events FINAL
WHERE type LIKE 'qamtu.import.reversed.v%'
  AND ('reference_events', campaign, '', event_id) NOT IN (SELECT arrayJoin(losing))
