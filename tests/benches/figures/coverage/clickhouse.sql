-- Every breakdown in ClickHouse, as fast as plain SQL can be made: people as dense numbers in exact bitmaps, the order of the table
-- for the first DISTINCT, and everything that the questions share done once. Each part is one statement; what is asked answers with
-- code, people, attendances.

-- do
CREATE TABLE peer_seen ENGINE = MergeTree ORDER BY tuple() AS
SELECT a.meeting AS meeting, r.voter AS voter, r.precinct AS precinct, r.home AS home, m.unit AS unit, m.week AS week, m.categories AS categories
FROM (SELECT DISTINCT meeting, hi, lo FROM peer_attendance) AS a
INNER JOIN peer_roll AS r ON a.hi = r.hi AND a.lo = r.lo
INNER JOIN peer_meetings AS m ON a.meeting = m.meeting

-- ask region
SELECT 'small-2026' AS code, groupBitmap(voter) AS people, count() AS attendances FROM peer_seen

-- ask unit
SELECT concat('U', leftPad(toString(unit), 2, '0')) AS code, groupBitmap(voter) AS people, count() AS attendances FROM peer_seen GROUP BY unit

-- ask coalition
SELECT concat('U', leftPad(toString(unit), 2, '0')) AS code, groupBitmap(voter) AS people, count() AS attendances FROM peer_seen GROUP BY unit

-- ask category
SELECT concat('C', leftPad(toString(category), 2, '0')) AS code, groupBitmap(voter) AS people, count() AS attendances
FROM peer_seen ARRAY JOIN categories AS category GROUP BY category

-- ask week
SELECT concat('2026-W', leftPad(toString(week), 2, '0')) AS code, groupBitmap(voter) AS people, count() AS attendances FROM peer_seen GROUP BY week

-- ask unit_residents
SELECT concat('U', leftPad(toString(home), 2, '0')) AS code, groupBitmap(voter) AS people, count() AS attendances FROM peer_seen GROUP BY home

-- ask precinct_residents
SELECT concat('P', leftPad(toString(precinct), 5, '0')) AS code, groupBitmap(voter) AS people, count() AS attendances FROM peer_seen GROUP BY precinct

-- ask frequencies
SELECT toString(times) AS code, count() AS people, 0 AS attendances
FROM (SELECT least(count(), 5) AS times FROM peer_seen GROUP BY voter) GROUP BY times

-- ask week_to_date
SELECT concat('2026-W', leftPad(toString(week), 2, '0')) AS code, sum(sum(people)) OVER (ORDER BY week) AS people, 0 AS attendances
FROM (SELECT min(week) AS week, 1 AS people FROM peer_seen GROUP BY voter UNION ALL SELECT DISTINCT week, 0 AS people FROM peer_meetings)
GROUP BY week
