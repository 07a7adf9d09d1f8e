-- What has been applied to this database: one row per migration and per version of a view.
-- Engine: ReplacingMergeTree, so that two runners at once, or a repetition after a crash, leave one row each.
-- Key: what was applied; of a view the newest row is the one that stands.
-- TTL: none, it is a few dozen rows. Read by the migration runner and by the projector when it starts.
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
