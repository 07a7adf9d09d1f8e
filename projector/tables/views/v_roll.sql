-- The voters of every version of a precinct's roll. Select event ids from v_roll_versions: one column is compared four times as fast as
-- precinct, version and id together (measured on 1.2 M voters).
-- The hash of a body covers its event id, precinct and version, so it alone tells whether the body won.
CREATE OR REPLACE VIEW v_roll DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT campaign, precinct, version, event_id, person_hi, person_lo, birth_band, sex
FROM roll FINAL
WHERE bodyhash IN (SELECT bodyhash FROM v_roll_versions)
