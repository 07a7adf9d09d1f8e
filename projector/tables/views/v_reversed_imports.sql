-- Reversed imports and the receive time of the reversal. Used by the other views and by readers of an earlier state.
CREATE OR REPLACE VIEW v_reversed_imports DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT campaign, toUUID(subject) AS import, received, partition, offset
FROM reference_events FINAL
WHERE type LIKE 'qamtu.import.reversed.v%'
