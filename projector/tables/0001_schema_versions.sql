-- The migrations and views that were applied to this database: one row per migration and per version of a view. The migration runner and the
-- start-up check of the projector read it.
-- Engine: ReplacingMergeTree, so that concurrent runners, or a retry after a crash, leave one row each.
-- Key: the applied file. Of several rows of a view the newest counts.
-- TTL: none, because the table has a few dozen rows.
CREATE TABLE IF NOT EXISTS schema_versions
(
    kind Enum8('table' = 1, 'view' = 2),
    number UInt32,
    name String,
    sha256 String,
    applied DateTime64(6) DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(applied)
ORDER BY (kind, number, name)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
