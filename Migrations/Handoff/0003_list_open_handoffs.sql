-- The handoffs that are open, in their order: a program of reps asks for them every few seconds.
CREATE INDEX handoff_handoffs_open ON handoff_handoffs (id) WHERE state IN ('queued', 'offered', 'escalated', 'accepted');
