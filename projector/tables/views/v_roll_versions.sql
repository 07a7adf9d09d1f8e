-- The versions of precincts' rolls, one row per event, including versions without voters, which replace earlier ones.
-- The reader selects the newest version below its own offsets: the highest version number, and of two events with the same number the
-- higher id, as for all reference data. (Ingest accepts one event for each version.)
CREATE OR REPLACE VIEW v_roll_versions DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT campaign, precinct, version, event_id, bodyhash, toUInt8(strength) AS strength, type, received, partition, offset
FROM roll_versions FINAL
