-- Where the projector proves at every start that a repeated token counts once on this server.
-- Engine: plain MergeTree, so that only the token can collapse the repetition.
-- Key: the random number of one check. TTL: a day, nobody reads it later.
CREATE TABLE IF NOT EXISTS insert_checks
(
    probe UUID,
    made DateTime DEFAULT now()
)
ENGINE = MergeTree
ORDER BY probe
TTL made + INTERVAL 1 DAY
SETTINGS non_replicated_deduplication_window = 10000
