-- Every breakdown in DuckDB, as fast as plain SQL can be made: people as dense numbers, counted by grouping twice, and everything
-- that the questions share done once. Each part is one statement; what is asked answers with code, people, attendances.

-- do
CREATE TEMP TABLE seen AS
SELECT a.meeting, r.voter, r.precinct, r.home, m.unit, m.week, m.categories
FROM (SELECT DISTINCT meeting, hi, lo FROM attendance) AS a
JOIN roll AS r ON a.hi = r.hi AND a.lo = r.lo
JOIN meetings AS m ON a.meeting = m.meeting

-- ask region
SELECT 'small-2026' AS code, count(*) AS people, sum(times) AS attendances FROM (SELECT count(*) AS times FROM seen GROUP BY voter)

-- ask unit
SELECT 'U' || lpad(unit::VARCHAR, 2, '0'), count(*), sum(times) FROM (SELECT unit, count(*) AS times FROM seen GROUP BY unit, voter) GROUP BY unit

-- ask coalition
SELECT 'U' || lpad(unit::VARCHAR, 2, '0'), count(*), sum(times) FROM (SELECT unit, count(*) AS times FROM seen GROUP BY unit, voter) GROUP BY unit

-- ask category
SELECT 'C' || lpad(category::VARCHAR, 2, '0'), count(*), sum(times)
FROM (SELECT category, count(*) AS times FROM (SELECT unnest(categories) AS category, voter FROM seen) GROUP BY category, voter) GROUP BY category

-- ask week
SELECT '2026-W' || lpad(week::VARCHAR, 2, '0'), count(*), sum(times) FROM (SELECT week, count(*) AS times FROM seen GROUP BY week, voter) GROUP BY week

-- ask unit_residents
SELECT 'U' || lpad(home::VARCHAR, 2, '0'), count(*), sum(times) FROM (SELECT any_value(home) AS home, count(*) AS times FROM seen GROUP BY voter) GROUP BY home

-- ask precinct_residents
SELECT 'P' || lpad(precinct::VARCHAR, 5, '0'), count(*), sum(times)
FROM (SELECT any_value(precinct) AS precinct, count(*) AS times FROM seen GROUP BY voter) GROUP BY precinct

-- ask frequencies
SELECT times::VARCHAR, count(*), 0 FROM (SELECT least(count(*), 5) AS times FROM seen GROUP BY voter) GROUP BY times

-- ask week_to_date
SELECT '2026-W' || lpad(week::VARCHAR, 2, '0'), sum(sum(people)) OVER (ORDER BY week), 0
FROM (SELECT min(week) AS week, 1 AS people FROM seen GROUP BY voter UNION ALL SELECT DISTINCT week, 0 FROM meetings) GROUP BY week
