-- Test rows of the start-up check, which verifies that this server deduplicates a repeated insert.
-- Engine: plain MergeTree, so that only the token can deduplicate the second insert.
-- Key: the random number of one check.
-- TTL: one day, because nobody reads the rows later.
CREATE TABLE IF NOT EXISTS insert_checks
(
    probe UUID,
    made DateTime DEFAULT now()
)
ENGINE = MergeTree
ORDER BY probe
TTL made + INTERVAL 1 DAY
SETTINGS non_replicated_deduplication_window = 10000
