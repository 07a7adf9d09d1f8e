-- Imports that were taken back whole. For the other views.
CREATE OR REPLACE VIEW v_reversed_batches AS
SELECT campaign, toUUID(subject) AS batch
FROM reference_events FINAL
WHERE type LIKE 'qamtu.batch.reversed.v%'
