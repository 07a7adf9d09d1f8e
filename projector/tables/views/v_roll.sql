-- The voters of every version of a precinct's roll. Select versions from v_roll_versions first: precinct, version and event id are the
-- start of the key, so the voters of other versions are not read.
CREATE OR REPLACE VIEW v_roll DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT campaign, precinct, version, event_id, person_hi, person_lo, birth_band, sex
FROM roll FINAL
WHERE (precinct, version, event_id, bodyhash) IN (SELECT precinct, version, event_id, bodyhash FROM v_roll_versions)
