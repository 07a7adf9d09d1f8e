-- The versions of precincts' rolls, one row per event; also one without voters, so that it takes the place of an earlier one.
-- Which is the newest is for the reader to say, among the versions below its own offsets: the highest version, of two events with
-- one version the higher id, as in all reference data.
CREATE OR REPLACE VIEW v_roll_versions DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH (SELECT beaten FROM v_beaten_bodies) AS beaten
SELECT campaign, precinct, version, event_id, bodyhash, toUInt8(strength) AS strength, type, received, partition, offset
FROM roll_versions FINAL
WHERE ('roll_versions', campaign, '', event_id) NOT IN (SELECT arrayJoin(beaten))
