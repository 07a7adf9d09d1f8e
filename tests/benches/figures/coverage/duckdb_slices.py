"""Answers the queries on standard input from the Parquet files of a folder, with DuckDB on a native table that was read before."""

import json
import sys
import time

import duckdb

folder = sys.argv[1]
db = duckdb.connect(f"{folder}/slices.db", config={"temp_directory": f"{folder}/spill"})
db.execute("SET enable_progress_bar = false")
db.execute(f"""
CREATE TABLE seen AS
SELECT r.voter, r.precinct, r.home, m.unit, m.week, m.categories
FROM (SELECT DISTINCT meeting, hi, lo FROM read_parquet('{folder}/attendance.parquet')) AS a
JOIN read_parquet('{folder}/roll.parquet') AS r ON a.hi = r.hi AND a.lo = r.lo
JOIN read_parquet('{folder}/meetings.parquet') AS m ON a.meeting = m.meeting
""")
db.execute("CHECKPOINT")

queries = json.load(sys.stdin)
db.execute(queries[0]).fetchall()
slices = []
for sql in queries:
    begin = time.monotonic()
    rows = db.execute(sql).fetchall()
    slices.append({"rows": rows, "seconds": time.monotonic() - begin})
json.dump(slices, sys.stdout)
