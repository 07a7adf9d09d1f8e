-- Consent given and withdrawn, one row per event, with its time of receipt and its import, so that a reader can ask for an earlier
-- state. Events of reversed imports are here: who reads takes them out.
CREATE OR REPLACE VIEW v_consents DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH (SELECT beaten FROM v_beaten_bodies) AS beaten
SELECT campaign, person_hi, person_lo, event_id, type, kind, supersedes, import, received, partition, offset
FROM consents FINAL
WHERE ('consents', campaign, '', event_id) NOT IN (SELECT arrayJoin(beaten))
