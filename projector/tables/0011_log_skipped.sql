-- Number of offsets directly before a record at which the log itself has no record: transaction markers, aborted and compacted records,
-- and everything before the start of a log. It distinguishes offsets without a record from rows that are missing here. Rows written before
-- this migration have 0, because the projector did not read past such offsets then. Nearly always 0, so it costs little.
ALTER TABLE log ADD COLUMN IF NOT EXISTS skipped UInt64 DEFAULT 0
