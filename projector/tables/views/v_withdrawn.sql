-- People with a withdrawn consent: a withdrawal counts until a consent of the same person names it in `supersedes`. Events of reversed
-- imports are ignored. Used by v_attendance.
CREATE OR REPLACE VIEW v_withdrawn DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH counted AS
(
    SELECT campaign, person_hi, person_lo, event_id, kind, supersedes
    FROM v_consents
    WHERE import IS NULL OR (campaign, assumeNotNull(import)) NOT IN (SELECT campaign, import FROM v_reversed_imports)
)
SELECT DISTINCT campaign, person_hi, person_lo
FROM counted
WHERE kind = 'withdrawn'
  AND (campaign, person_hi, person_lo, event_id) NOT IN
  (
      SELECT campaign, person_hi, person_lo, arrayJoin(supersedes) FROM counted WHERE kind = 'given'
  )
