-- The register's file: a cache of the log, rebuilt when deleted.
-- Tables without rowid, because each is looked up by its whole key and nothing else; no other index.

-- The next offset that everything below is true for; changed in the same transaction.
CREATE TABLE position (
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    next INTEGER NOT NULL,
    PRIMARY KEY (topic, partition)
) STRICT, WITHOUT ROWID;

-- Every event by its id: what it was (hash of the body, and of the body without the person it names), what it is about (hash of type
-- and subject, for events that name this one), and when it was received (microseconds), since of two bodies the earlier holds.
CREATE TABLE event (
    id BLOB NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL,
    public INTEGER NOT NULL,
    about INTEGER NOT NULL,
    received INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The events that reference data and meetings are folded from, whole; small beside the others.
CREATE TABLE fact (
    id BLOB NOT NULL,
    hash BLOB NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (id, hash)
) STRICT, WITHOUT ROWID;
