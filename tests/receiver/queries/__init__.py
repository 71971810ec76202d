"""Tests of what readers ask: times, budgets, windows, panels."""
