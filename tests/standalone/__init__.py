"""Tests of the standalone commands."""
