-- The voters of the newest version of each precinct's roll; of two events with one version the higher id, as in all reference data.
CREATE OR REPLACE VIEW v_roll AS
WITH
    newest AS
    (
        SELECT
            campaign,
            precinct,
            argMax(tuple(version, event_id, bodyhash, strength, partition, offset), tuple(version, toUInt128(event_id))) AS chosen
        FROM roll_versions FINAL
        GROUP BY campaign, precinct
    )
SELECT
    roll.campaign AS campaign,
    roll.precinct AS precinct,
    roll.person_hi AS person_hi,
    roll.person_lo AS person_lo,
    toUInt8(newest.chosen.4) AS strength,
    roll.birth_band AS birth_band,
    roll.sex AS sex,
    newest.chosen.5 AS partition,
    newest.chosen.6 AS offset
FROM roll FINAL
INNER JOIN newest
    ON roll.campaign = newest.campaign
   AND roll.precinct = newest.precinct
   AND roll.version = newest.chosen.1
   AND roll.event_id = newest.chosen.2
   AND roll.bodyhash = newest.chosen.3
