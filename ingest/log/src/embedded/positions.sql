-- Committed positions of the readers' groups; a file of its own, so that commits never wait for appends.
-- next is the offset to consume next. Kept for ever; one row per group and partition.
CREATE TABLE positions (
    "group" TEXT    NOT NULL,
    topic   TEXT    NOT NULL,
    number  INTEGER NOT NULL,
    next    INTEGER NOT NULL,
    PRIMARY KEY ("group", topic, number)
) STRICT, WITHOUT ROWID;
