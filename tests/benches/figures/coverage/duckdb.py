"""Answers the statements on standard input ([name, sql] pairs) from the Parquet files of a folder, with DuckDB."""

import json
import sys
import time

import duckdb

folder = sys.argv[1]
db = duckdb.connect(f"{folder}/duck.db", config={"temp_directory": f"{folder}/spill"})
db.execute("SET enable_progress_bar = false")
for table in ["attendance", "roll", "meetings"]:
    db.execute(f"CREATE TABLE {table} AS SELECT * FROM read_parquet('{folder}/{table}.parquet')")
db.execute("CHECKPOINT")

statements = json.load(sys.stdin)
answers = {}
begin = time.monotonic()
for name, sql in statements:
    rows = db.execute(sql).fetchall()
    if name:
        answers[name] = {str(code): [int(people), int(attendances)] for code, people, attendances in rows}
seconds = time.monotonic() - begin
json.dump({"seconds": seconds, "answers": answers}, sys.stdout)
