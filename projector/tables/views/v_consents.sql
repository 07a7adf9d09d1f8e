-- Consent given and withdrawn, one row per event, with receive time and import, so that a reader can query an earlier state. Events of
-- reversed imports are included; the reader must exclude them.
CREATE OR REPLACE VIEW v_consents DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT campaign, person_hi, person_lo, event_id, type, kind, supersedes, import, received, partition, offset
FROM consents FINAL
