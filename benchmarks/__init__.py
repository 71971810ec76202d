"""Measurements of the promised speed and size; results are in docs/performance.md."""
