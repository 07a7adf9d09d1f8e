-- Committed offsets of the reader groups; a separate file, so that commits never wait for appends.
-- next is the offset to consume next. One row per group and partition, never deleted.
CREATE TABLE positions (
    "group" TEXT    NOT NULL,
    topic   TEXT    NOT NULL,
    number  INTEGER NOT NULL,
    next    INTEGER NOT NULL,
    PRIMARY KEY ("group", topic, number)
) STRICT, WITHOUT ROWID;
