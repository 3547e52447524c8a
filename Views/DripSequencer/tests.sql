-- Tests of sequences.

-- The tests of sequences with their numbers: leads given an arm, how many of them did what the test asks for, and the verdict.
-- low_percent, high_percent and best_percent are those of a Beta distribution for each arm, of the leads whose outcome is known, with the
-- prior Beta(1, 1): before the first of them every rate is as likely as any other, which weighs as much as two leads. No winner hangs on it.
CREATE VIEW drip_tests AS
SELECT s.sequence, s.test, CASE s.arm WHEN '' THEN '(holdout)' ELSE s.arm END AS arm,
       count(a.lead_id) AS leads, count(a.converted_at) AS outcomes,
       round(100.0 * count(a.converted_at) / nullif(count(a.lead_id), 0), 1) AS percent,
       round(100 * s.low, 1) AS low_percent, round(100 * s.high, 1) AS high_percent,
       round(100 * s.probability, 1) AS best_percent, round(100 * s.share, 1) AS share_percent, s.is_winner, s.decided_by, s.verdict
FROM drip_arm_shares AS s
LEFT JOIN drip_arms AS a ON a.sequence = s.sequence AND a.test = s.test AND a.arm = s.arm
GROUP BY s.sequence, s.test, s.arm;
