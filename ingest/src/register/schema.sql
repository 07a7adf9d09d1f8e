-- The register's file: a cache of the log, rebuilt when deleted.
-- Tables without rowid, because each is looked up by its whole key and nothing else; no other index.

-- The next offset of each partition; updated in the same transaction as the rows below.
CREATE TABLE position (
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    next INTEGER NOT NULL,
    PRIMARY KEY (topic, partition)
) STRICT, WITHOUT ROWID;

-- Every event by its id: hash of the body, hash of the body without the person that it names, hash of type and subject (for events that
-- reference this one), and receivedtime in microseconds (of two bodies the earlier one wins).
CREATE TABLE event (
    id BLOB NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL,
    public INTEGER NOT NULL,
    about INTEGER NOT NULL,
    received INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The events that reference data and meetings are folded from, and the rolls without their voters; few compared with all events.
CREATE TABLE event_body (
    id BLOB NOT NULL,
    hash BLOB NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (id, hash)
) STRICT, WITHOUT ROWID;
