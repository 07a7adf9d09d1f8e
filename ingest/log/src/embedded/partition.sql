-- One partition; {id} is its id in the table partitions. The design is explained in records.sql.
CREATE TABLE p{id} (
    "offset"    INTEGER PRIMARY KEY,
    appended_ms INTEGER NOT NULL,
    key         BLOB    NOT NULL,
    headers     BLOB    NOT NULL,
    value       BLOB    NOT NULL,
    crc         INTEGER NOT NULL
) STRICT
