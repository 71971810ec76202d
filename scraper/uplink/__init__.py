"""Batches out, verdicts in: at least once on the wire, rows leave the outbox only by a verdict."""
