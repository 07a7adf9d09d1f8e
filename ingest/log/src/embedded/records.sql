-- The records of the embedded log.
-- One table per partition, because its rowid is the offset: every append then goes to the end of its
-- own tree (pages stay full, no index beside it) and a read is one range scan.
-- The checksum covers offset, time, key, headers and value, as SQLite itself has none.
-- Nothing is ever deleted, so the offsets of a partition are 0..n without a gap.
CREATE TABLE partitions (
    id     INTEGER PRIMARY KEY,
    topic  TEXT    NOT NULL,
    number INTEGER NOT NULL,
    UNIQUE (topic, number)
) STRICT;

-- A row is inserted and deleted to test whether a disk that was full has space again.
CREATE TABLE probe (filler BLOB NOT NULL) STRICT;
