-- How many offsets directly before a record hold none in the log itself: markers of transactions, aborted and compacted records, and
-- what lies before the beginning of a log. With it a gap of the log differs from rows that are missing here.
-- Rows that were written before have 0: no projector went on behind a gap then. Nearly always 0, so it costs next to nothing.
ALTER TABLE log ADD COLUMN IF NOT EXISTS skipped UInt64 DEFAULT 0
